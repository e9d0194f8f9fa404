"""The shape of a request: what no view should ever have to look at (IN-07, RL-05)."""

from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import (
    BadRequest,
    RequestEntityTooLarge,
    RequestURITooLarge,
    UnsupportedMediaType,
)

from idp.web.deps import this_request

MAX_QUERY_BYTES = 16_384
MAX_FIELDS = 400
_FORM = "application/x-www-form-urlencoded"


def check_shape() -> None:
    """Refuse oversize, NUL and text that is not UTF-8, before a view reads it.

    Raises:
        RequestURITooLarge, RequestEntityTooLarge, UnsupportedMediaType, BadRequest: by kind.
    """
    request = this_request()
    query = request.query_string
    if len(query) > MAX_QUERY_BYTES:
        raise RequestURITooLarge
    _check_text(request.environ.get("PATH_INFO", "").encode("latin-1", "replace"))
    _check_encoded(query)
    kind = request.mimetype
    if kind.startswith("multipart/"):
        # No page of ours sends one, and its parts would come past the checks below.
        raise UnsupportedMediaType
    if kind == _FORM:
        limit = request.max_content_length
        if request.content_length is None and request.method == "POST":
            raise BadRequest
        if limit is not None and (request.content_length or 0) > limit:
            raise RequestEntityTooLarge
        _check_encoded(request.get_data(cache=True))


def _check_encoded(data: bytes) -> None:
    if not data:
        return
    if data.count(b"&") >= MAX_FIELDS:
        raise RequestEntityTooLarge
    _check_text(unquote_to_bytes(data) if b"%" in data else data)


def _check_text(data: bytes) -> None:
    if b"\x00" in data:
        raise BadRequest
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest from None
