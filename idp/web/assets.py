"""Style sheet, scripts and pictures: addresses that name the content, kept for a year."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flask import Flask, Response, request

from idp.base.secret import to_base64url

#: Under an address that names its content a file never changes (RFC 8246).
_FOR_EVER = "public, max-age=31536000, immutable"
_VERSION = "v"
_VERSION_BYTES = 12
_ENDPOINT = "static"


def register(app: Flask) -> None:
    """Read every file once, and let `url_for` name its content: `kosodate.css?v=…`.

    The plain address works as well and is kept for an hour; so is one with another version,
    which a page of the release before or after may ask for while processes are replaced.
    """
    assert app.static_folder is not None
    versions = read_versions(Path(app.static_folder))

    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        version = versions.get(values.get("filename", "")) if endpoint == _ENDPOINT else None
        if version is not None:
            values.setdefault(_VERSION, version)

    def keep(response: Response) -> Response:
        if request.endpoint == _ENDPOINT and response.status_code < 400 and _is_asked(versions):
            response.headers["Cache-Control"] = _FOR_EVER
        return response

    app.url_defaults(add_version)
    app.after_request(keep)


def read_versions(folder: Path) -> Mapping[str, str]:
    """Return the version of each file below a folder, by its name in addresses."""
    return MappingProxyType(
        {
            path.relative_to(folder).as_posix(): _version_of(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
    )


def _version_of(path: Path) -> str:
    return to_base64url(hashlib.sha256(path.read_bytes()).digest()[:_VERSION_BYTES])


def _is_asked(versions: Mapping[str, str]) -> bool:
    """Whether the address names the content that is answered."""
    name = (request.view_args or {}).get("filename", "")
    return name in versions and request.args.get(_VERSION) == versions[name]
