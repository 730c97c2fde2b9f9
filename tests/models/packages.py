"""Small stand-ins for the public packages: a wheel and a source archive whose code must never run."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

from shared.models.catalogue import Catalogue, Model, ModelFile, Package

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"


def make_wheel(folder: Path, name: str, content: bytes) -> Package:
    """Write a wheel that holds `name/weights.bin`."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/weights.bin", content)
        wheel.writestr(f"{name}-1.0.dist-info/METADATA", METADATA.format(name=name))
        wheel.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return pinned(name, path)


def make_sdist(folder: Path, name: str, content: bytes, marker: Path) -> Package:
    """Write a source archive that holds `NAME-1.0/weights.bin`, and whose `setup.py` touches `marker` when it runs."""
    path = folder / f"{name}-1.0.tar.gz"
    setup = f"import pathlib, setuptools\npathlib.Path({str(marker)!r}).touch()\nsetuptools.setup()\n"
    members = {"PKG-INFO": METADATA.format(name=name).encode(), "setup.py": setup.encode(), "weights.bin": content}
    with tarfile.open(path, "w:gz") as sdist:
        for member, data in members.items():
            info = tarfile.TarInfo(f"{name}-1.0/{member}")
            info.size = len(data)
            sdist.addfile(info, io.BytesIO(data))
    return pinned(name, path)


def pinned(name: str, path: Path) -> Package:
    """Describe an archive as it is now."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Package(name=name, version="1.0", archive=path.name, sha256=digest, size_bytes=len(content))


def catalogue_of(*packages: tuple[Package, bytes], evaluation_only: bool = False) -> Catalogue:
    """Return a catalogue with one copied file per package and its expected content."""
    models = [
        Model(
            name=package.name,
            what="a stand-in",
            licence="none",
            package=package.name,
            path=f"{package.name}.bin",
            evaluation_only=evaluation_only,
            files=(
                ModelFile(
                    path=f"{package.name}.bin",
                    members=(f"{package.name if package.is_wheel else f'{package.name}-1.0'}/weights.bin",),
                    convert="copy",
                    sha256=hashlib.sha256(content).hexdigest(),
                    size_bytes=len(content),
                ),
            ),
        )
        for package, content in packages
    ]
    return Catalogue(packages=tuple(package for package, _ in packages), models=tuple(models))
