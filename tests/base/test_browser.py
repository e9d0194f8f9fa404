"""Browsers are named as their owners know them, whatever stands in the header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.base.browser import name_browser

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Mobile Safari/537.36"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (IPHONE, "Safari (iPhone)"),
        (CHROME, "Chrome (Android)"),
        (EDGE, "Edge (Windows)"),
        (FIREFOX, "Firefox (Linux)"),
        ("curl/8.0", "?"),
        ("", "?"),
        ("Windows", "Windows"),
        ("x" * 600 + IPHONE, "?"),
    ],
)
def test_a24_a_browser_has_a_name(header, name):
    assert name_browser(header) == name


@given(st.text(max_size=400))
def test_br_06_no_part_of_the_header_is_ever_shown(header):
    name = name_browser(f"<script>{header}</script>")
    assert "<" not in name
    assert len(name) < 40
