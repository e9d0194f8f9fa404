"""A file of client metadata, one client or a list: the command and the console read it alike."""

import json
from enum import StrEnum

from idp.protocol.claims import is_shallow

#: As many as anybody would keep in one file.
MAX_CLIENTS = 200


class FileFault(StrEnum):
    """Why a text is no file of clients."""

    NOT_JSON = "file_not_json"
    NO_CLIENTS = "file_no_clients"


def read_json(text: str) -> object:
    """Return what a JSON text holds.

    Raises:
        ValueError: it is none, is nested too deeply, or holds what no database keeps (NUL,
            half a character, infinity).
    """
    if not is_shallow(text):
        raise ValueError("too deep")
    content: object = json.loads(text)
    written = json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")
    if b"\\u0000" in written:
        raise ValueError("NUL")
    return content


def read_file(text: str) -> tuple[dict[str, object], ...] | FileFault:
    """Return the documents in a text; what each of them says is checked later."""
    try:
        content = read_json(text)
    except ValueError:
        return FileFault.NOT_JSON
    documents = content if isinstance(content, list) else [content]
    if not 0 < len(documents) <= MAX_CLIENTS:
        return FileFault.NO_CLIENTS
    if not all(isinstance(document, dict) for document in documents):
        return FileFault.NO_CLIENTS
    return tuple(documents)
