"""A received mail: what a person reads of its raw bytes."""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import default as modern_policy
from unicodedata import category

#: A link in readable text ends where ASCII ends, so 「…です。」 right after it stays outside.
_LINK = re.compile(r"https?://[!#-;=?-~]+")
#: Punctuation that belongs to the sentence around a link.
_AFTER_LINK = ".,;:!?)]'"
#: Unicode categories of control characters and of halves of characters.
_UNREADABLE = frozenset({"Cc", "Cs"})
#: The parser of the standard library fails in many ways on what is no mail at all.
_PARSER_ERRORS = (MessageError, ValueError, LookupError, AttributeError, TypeError)


@dataclass(frozen=True)
class Envelope:
    """What the SMTP client said: the real recipients, whatever the headers claim."""

    sender: str
    recipients: tuple[str, ...]


@dataclass(frozen=True)
class Mail:
    """One mail in the mailbox."""

    mail_id: int
    sender: str
    recipients: tuple[str, ...]
    subject: str
    received_at: datetime
    text: str
    html: str


@dataclass(frozen=True)
class Content:
    """The readable parts of a mail; a part that is missing is empty."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Piece:
    """A stretch of readable text, or a link in it."""

    text: str
    is_link: bool


def read_content(raw: bytes) -> Content:
    """Read subject, text and HTML; what cannot be read as a mail is shown as it came."""
    try:
        message = email.message_from_bytes(raw, policy=modern_policy)
        return Content(
            subject=_clean(str(message.get("Subject", ""))),
            text=_body(message, "plain"),
            html=_body(message, "html"),
        )
    except _PARSER_ERRORS:
        return Content(subject="", text=_clean(raw.decode("utf-8", "replace")), html="")


def split_links(text: str) -> tuple[Piece, ...]:
    """Cut readable text into plain stretches and links, in order; joined they are the text."""
    return tuple(piece for piece in _pieces(text) if piece.text)


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if not isinstance(part, EmailMessage):
        return ""
    try:
        return _clean(str(part.get_content()))
    except _PARSER_ERRORS:
        payload = part.get_payload(decode=True)
        return _clean(payload.decode("utf-8", "replace")) if isinstance(payload, bytes) else ""


def _clean(text: str) -> str:
    """Keep lone surrogates and control characters of a broken mail out of page and file."""
    text = text.replace("\r\n", "\n")
    return "".join(char for char in text if char in "\n\t" or category(char) not in _UNREADABLE)


def _pieces(text: str) -> Iterator[Piece]:
    at = 0
    for match in _LINK.finditer(text):
        link = match[0].rstrip(_AFTER_LINK)
        yield Piece(text[at : match.start()], is_link=False)
        yield Piece(link, is_link=True)
        at = match.start() + len(link)
    yield Piece(text[at:], is_link=False)
