"""What an experiment is, as data: read from YAML, checked, and the same numbers whenever it is run again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evaluation.image_codecs import Container, SourceName
from evaluation.link import Fading
from shared.errors import InvalidInput

MethodKind = Literal["ours", "latent_digital", "deepjscc", "separate", "ideal"]
Scheme = Literal["none", "sender", "receiver", "command"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MethodConfig(_Part):
    """One way to send a face.

    Attributes:
        kind: ``ours`` and ``latent_digital`` send the latent, the others the picture; ``ideal`` is ``separate`` with
            codes at the capacity of each frame's own channel, without pilots, header or failure.
        k: payload symbols, each a point of the curves.
        scheme: where it is edited: ``none``, at the ``sender`` (for ours: jointly with the code), at the ``receiver``
            from what arrived, or there by a protected ``command`` beside the latent.
        codec: name in the catalogue of codecs, for ``ours``.
        source: image codec, for ``separate`` and ``ideal``.
        container: whether its files are sent whole or without what a receiver could know.
    """

    kind: MethodKind
    k: tuple[int, ...] = Field(min_length=1)
    scheme: Scheme = "sender"
    codec: str = "jecc"
    source: SourceName = "webp"
    container: Container = "stripped"

    @property
    def name(self) -> str:
        """Name in tables."""
        own = {"ours": f"ours {self.codec}", "latent_digital": "latent + LDPC", "deepjscc": "DeepJSCC"}
        pictures = f"{self.source} ({self.container}) {'at capacity' if self.kind == 'ideal' else '+ LDPC'}"
        return f"{own.get(self.kind, pictures)}, {self.scheme}"


class DataConfig(_Part):
    """The faces.

    Attributes:
        source: ``prior`` samples faces; a path names a folder of aligned pictures; ``celeba`` the validation photos.
        path: of the folder, or of the one that holds ``celeba18k.tar``.
        count: faces.
    """

    source: Literal["prior", "folder", "celeba"] = "prior"
    path: Path | None = None
    count: int = Field(default=8, ge=1)


class ExperimentConfig(_Part):
    """A whole experiment.

    Attributes:
        name: of the report.
        data: which faces.
        methods: what is compared.
        snr_db: of the channel.
        fading: of the channel.
        resolution: side in pixels of the pictures.
        edits: changes in degrees, by attribute; face i gets edit i, in turn.
        seed: of faces and channel.
        refine_steps: of inversions at the sender.
        receiver_refine_steps: of inversions at the receiver.
    """

    name: str
    data: DataConfig = DataConfig()
    methods: tuple[MethodConfig, ...] = Field(min_length=1)
    snr_db: tuple[float, ...] = (0.0, 6.0, 12.0)
    fading: tuple[Fading, ...] = ("none",)
    resolution: Literal[128, 256, 512, 1024] = 128
    edits: tuple[dict[str, float], ...] = ({"smiling": 3.0},)
    seed: int = Field(default=1, ge=0)
    refine_steps: int = Field(default=16, ge=0)
    receiver_refine_steps: int = Field(default=16, ge=0)


def read_config(path: Path) -> ExperimentConfig:
    """Reads and checks a YAML file.

    Raises:
        InvalidInput: if it cannot be read or is not an experiment.
    """
    try:
        return ExperimentConfig.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}); name a file that is there") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"{path} cannot be read as YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InvalidInput(f"{path} is no experiment: {where}: {first['msg']}") from error
