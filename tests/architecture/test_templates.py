"""Rules about the pages (style.md rule 41)."""

import re

import pytest

from tests.architecture.source import name, templates, without_comments

RULES = {
    "text is escaped, always": r"\|\s*safe\b|autoescape\s+false|\bMarkup\(",
    "scripts and styles stand in files": r"<style|<script(?![^>]*\b(?:src|nonce)=)"
    r"|\sstyle=|\son[a-z]+=",
    "nothing is loaded from elsewhere": r"\b(?:src|srcset|data|poster)=\"(?:https?:)?//"
    r"|<link[^>]*\bhref=\"(?:https?:)?//",
    "a form goes to this site": r"\baction=\"(?:https?:)?//",
    "a page has no logic but if and for": r"\{%-?\s*(?:do|include\s+[a-z_]+)\b",
}
#: The answer to a client by POST goes to the client; the mailbox knows no sessions, but Origin.
WITHOUT_TOKEN = {"templates/signin/form_post.html", "templates/demo/mailbox.html"}


#: Sent twice they do the same again. The way out of a session is left open to impatience.
MAY_BE_SENT_TWICE = {*WITHOUT_TOKEN, "templates/macros/shell.html"}


@pytest.mark.parametrize("rule", RULES)
def test_rule_41(rule):
    broken = [
        f"{name(path)}: {match[0]}"
        for path in templates()
        for match in re.finditer(RULES[rule], without_comments(path))
    ]
    assert broken == []


def test_rule_41_every_posted_form_has_its_token():
    forms = re.compile(r"<form\b[^>]*\bmethod=\"post\".*?</form>", re.IGNORECASE | re.DOTALL)
    missing = [
        f"{name(path)}: {form.splitlines()[0]}"
        for path in templates()
        if name(path) not in WITHOUT_TOKEN
        for form in forms.findall(without_comments(path))
        if not re.search(r"csrf_field\(\)|name=\"csrf_token\"", form)
    ]
    assert missing == []


def test_a_double_click_sends_no_form_twice():
    forms = re.compile(r"<form\b[^>]*\bmethod=\"post\"[^>]*>", re.IGNORECASE)
    missing = [
        f"{name(path)}: {form}"
        for path in templates()
        if name(path).startswith("templates/") and name(path) not in MAY_BE_SENT_TWICE
        for form in forms.findall(without_comments(path))
        if not re.search(r"\bdata-once\b", form)
    ]
    assert missing == []


def test_rule_41_no_sentence_stands_in_a_template():
    """Words come from the catalogues; Japanese letters in a template are a forgotten text."""
    spoken = [
        f"{name(path)}: {match[0]}"
        for path in templates()
        for match in re.finditer(r"[\u3041-\u30ff\u4e00-\u9fff]+", without_comments(path))
    ]
    assert spoken == []
