"""A PEP 517 build backend that builds nothing: it answers pip's question for metadata from the archive's `PKG-INFO`.

To download a source archive, pip insists on its metadata, and would run the package's own `setup.py` to get it.
`fetch.py` puts a copy of this file where pip looks for `setuptools.build_meta`, so that none of the package's code
runs. Copied alone into another process: it may import the standard library only.
"""

from email.parser import HeaderParser
from pathlib import Path


class MetadataBackend:
    """The hooks of PEP 517 that `pip download` calls, with the archive's unpacked folder as the working directory."""

    def get_requires_for_build_wheel(self, config_settings: object = None) -> list[str]:  # noqa: ARG002
        """Return what the build needs: nothing."""
        return []

    def prepare_metadata_for_build_wheel(self, metadata_directory: str, config_settings: object = None) -> str:  # noqa: ARG002
        """Write `NAME-VERSION.dist-info/METADATA` under the given folder, and return the name of that folder."""
        content = Path("PKG-INFO").read_text("utf-8")
        headers = HeaderParser().parsestr(content)
        folder = f"{headers['Name'].replace('-', '_')}-{headers['Version']}.dist-info"
        (Path(metadata_directory) / folder).mkdir()
        (Path(metadata_directory) / folder / "METADATA").write_text(content, "utf-8")
        return folder


__legacy__ = MetadataBackend()
