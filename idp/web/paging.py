"""Lists that come page by page."""

from flask import request


def page_number() -> int:
    """Return which page of a list is asked for; 0, which no list has, for nonsense."""
    text = request.args.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
