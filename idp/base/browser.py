"""The name of a browser as its owner knows it: for the list of sessions and for mails."""

import re

#: First match wins: most browsers also name those they descend from.
_BROWSERS = (
    (re.compile(r"Edg(e|A|iOS)?/"), "Edge"),
    (re.compile(r"OPR/|Opera"), "Opera"),
    (re.compile(r"SamsungBrowser/"), "Samsung Internet"),
    (re.compile(r"Line/"), "LINE"),
    (re.compile(r"Firefox/|FxiOS/"), "Firefox"),
    (re.compile(r"Chrome/|CriOS/|Chromium/"), "Chrome"),
    (re.compile(r"Safari/"), "Safari"),
)
_SYSTEMS = (
    (re.compile(r"iPhone"), "iPhone"),
    (re.compile(r"iPad"), "iPad"),
    (re.compile(r"Android"), "Android"),
    (re.compile(r"Windows"), "Windows"),
    (re.compile(r"Macintosh|Mac OS X"), "Mac"),
    (re.compile(r"CrOS"), "Chromebook"),
    (re.compile(r"Linux|X11"), "Linux"),
)
#: A header may be long; what names the browser stands near its start.
_LONGEST_READ = 512


def name_browser(user_agent: str) -> str:
    """Return `Safari (iPhone)`, or as much as can be told; never a part of the header itself."""
    text = user_agent[:_LONGEST_READ]
    browser = next((name for pattern, name in _BROWSERS if pattern.search(text)), "")
    system = next((name for pattern, name in _SYSTEMS if pattern.search(text)), "")
    if browser and system:
        return f"{browser} ({system})"
    return browser or system or "?"
