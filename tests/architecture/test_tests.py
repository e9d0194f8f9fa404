"""Rules about the tests themselves (style.md rule 42)."""

import ast
import enum
import importlib
import re

from tests.architecture.source import functions, modules, name, text, tree
from tests.tools.acceptance import documented_ids, ids_in_name

TESTS = modules("tests")
EVERYTHING = "\n".join(text(path) for path in TESTS)
#: Closed sets of reasons why something was refused, by the ending of their names.
REASONS = ("Refusal", "Fault", "Outcome")


def _calls(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.Name):
            yield node.id, node.lineno


def _places(words):
    return [
        f"{name(path)}:{line}: {word}"
        for path in TESTS
        for word, line in _calls(path)
        if word in words
    ]


def test_rule_42_no_test_can_be_left_out():
    assert _places({"skip", "skipif", "skipTest", "xfail", "importorskip"}) == []


def test_rule_42_no_test_sleeps():
    """Time is moved with the clock; something outside is awaited by its sign."""
    assert _places({"sleep"}) == []


def test_rule_42_our_own_functions_are_not_replaced():
    assert _places({"MagicMock", "Mock", "patch"}) == []


def test_ids_in_names_of_tests_are_documented():
    known = set(documented_ids())
    unknown = [
        f"{name(path)}: {function.name}"
        for path in TESTS
        for function in functions(path)
        if function.name.startswith("test_") and not known.issuperset(ids_in_name(function.name))
    ]
    assert unknown == []


def test_every_reason_occurs_in_a_test():
    untested = [
        f"{kind.__module__}.{kind.__name__}.{member.name}"
        for kind in _reasons()
        for member in kind
        if f"{kind.__name__}.{member.name}" not in EVERYTHING
        and not re.search(rf"[\"'.]{re.escape(member.value)}[\"']", EVERYTHING)
    ]
    assert untested == []


def _reasons():
    for path in modules("idp"):
        if not any(f"{ending}(" in text(path) for ending in REASONS):
            continue
        module = importlib.import_module(name(path).removesuffix(".py").replace("/", "."))
        for member in vars(module).values():
            is_ours = isinstance(member, type) and member.__module__ == module.__name__
            if is_ours and issubclass(member, enum.StrEnum) and member.__name__.endswith(REASONS):
                yield member
