"""Pictures of services: the kinds that hold no script."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"


def find_image_type(content: bytes) -> str | None:
    """Return the type of a picture by its first bytes, or None.

    What the other server says of it is not asked, so that nothing else (a page, SVG with a
    script in it) is ever served from our origin (BR-09).
    """
    if content.startswith(_PNG):
        return "image/png"
    if content.startswith(_JPEG):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None
