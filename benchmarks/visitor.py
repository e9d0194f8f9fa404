"""A person's browser at the provider: cookies, redirects, and forms that are filled in."""

import html
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from benchmarks.wire import Answer, Wire

_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_INPUT = re.compile(r"<input\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')
_MOST_STEPS = 12


class Unexpected(Exception):  # noqa: N818 - an answer, not a mistake of the program
    """The provider answered something else than the operation needs."""


class Visitor:
    """One browser with its cookie jar and one connection."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.cookies: dict[str, str] = {}

    async def get(self, target: str) -> Answer:
        """Open an address of the provider."""
        return await self._call("GET", target)

    async def post(self, target: str, form: Mapping[str, str]) -> Answer:
        """Send a form."""
        return await self._call("POST", target, urlencode(form).encode())

    async def _call(self, method: str, target: str, body: bytes = b"") -> Answer:
        headers = {"User-Agent": "benchmarks", "Accept-Language": "ja"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = await self.wire.call(method, target, headers, body)
        for cookie in answer.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        return answer

    async def arrive(self, target: str, callback: str) -> Answer | str:
        """Follow redirects to the first page, or to the service: then return the code.

        Raises:
            Unexpected: an error, or no code.
        """
        for _ in range(_MOST_STEPS):
            answer = await self.get(target)
            location = answer.headers.get("location")
            if location is None:
                return _require(answer, 200)
            if location.startswith(callback):
                return code_of(location)
            target = urljoin(target, location)
        raise Unexpected("too many redirects")

    async def submit(self, page: Answer, callback: str, fields: Mapping[str, str]) -> Answer | str:
        """Fill in the form that has these fields and go where it leads."""
        action, values = _find_form(page.body.decode(), fields)
        answer = await self.post(action, values | dict(fields))
        location = answer.headers.get("location")
        if location is None:
            raise Unexpected(f"{action}: status {answer.status} and no redirect")
        if location.startswith(callback):
            return code_of(location)
        return await self.arrive(urljoin(action, location), callback)


def code_of(location: str) -> str:
    """Return the code of an answer to the service."""
    found = parse_qs(urlsplit(location).query)
    if "code" not in found:
        raise Unexpected(f"no code but {found.get('error')}")
    return found["code"][0]


def _require(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        raise Unexpected(f"status {answer.status}: {answer.body[:200]!r}")
    return answer


def _find_form(page: str, fields: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    for form_tag, inside in _FORM.findall(page):
        inputs = [_attributes(tag) for tag in _INPUT.findall(inside)]
        if not set(fields) <= {each.get("name", "") for each in inputs}:
            continue
        hidden = {
            each["name"]: each.get("value", "") for each in inputs if each.get("type") == "hidden"
        }
        return _attributes(form_tag)["action"], hidden
    raise Unexpected(f"no form with {', '.join(fields)}")


def _attributes(tag: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag)}
