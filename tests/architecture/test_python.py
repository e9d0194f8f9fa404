"""Rules about our modules that no linter of ours knows (style.md, the number in each name)."""

import ast
import re

from tests.architecture.source import ROOT, functions, modules, name, text, tree

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
OURS = modules("idp", "clients", "benchmarks", "deploy")


def test_rule_9_modules_are_short():
    lengths = {name(path): len(text(path).splitlines()) for path in OURS}
    assert {path: lines for path, lines in lengths.items() if lines > MAX_MODULE_LINES} == {}


def test_rule_9_functions_are_short():
    lengths = {
        f"{name(path)}:{function.name}": function.end_lineno - function.lineno + 1
        for path in OURS
        for function in functions(path)
    }
    assert {where: lines for where, lines in lengths.items() if lines > MAX_FUNCTION_LINES} == {}


def test_rule_13_imports_stand_at_the_top():
    """A deferred import hides a cycle."""
    inner = [
        f"{name(path)}:{node.lineno}"
        for path in OURS
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inner == []


def test_rule_13_packages_export_nothing_of_others():
    imports = [
        f"{name(path)}:{node.lineno}"
        for path in OURS
        if path.name == "__init__.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert imports == []


def test_rule_14_modules_keep_no_state():
    changed = [
        f"{name(path)}:{node.lineno}"
        for path in OURS
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Global)
    ]
    assert changed == []


def test_rule_16_open_work_names_an_issue():
    unnamed = [
        f"{name(path)}: {line.strip()}"
        for path in OURS
        for line in text(path).splitlines()
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line) and not re.search(r"TODO\(#\d+\)", line)
    ]
    assert unnamed == []


def test_rule_29_only_the_database_room_commits():
    calls = re.compile(r"\b(db|session|connection|engine)\.(commit|rollback|begin)\(")
    elsewhere = [
        name(path)
        for path in modules("idp")
        if not path.is_relative_to(ROOT / "idp/db") and calls.search(text(path))
    ]
    assert elsewhere == []


def test_rule_31_a_refusal_of_the_database_is_caught_around_a_savepoint_only():
    """PostgreSQL refuses everything after it in the transaction, SQLite would go on with half."""
    elsewhere = [
        f"{name(path)}:{node.lineno}"
        for path in modules("idp")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Try)
        and any(_catches_refusals(handler) for handler in node.handlers)
        and not all(_is_savepoint(statement) for statement in node.body)
    ]
    assert elsewhere == []


def _catches_refusals(handler: ast.ExceptHandler) -> bool:
    refusals = {
        "IntegrityError",
        "DatabaseError",
        "DBAPIError",
        "StatementError",
        "SQLAlchemyError",
    }
    return handler.type is not None and not refusals.isdisjoint(
        node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)
    )


def _is_savepoint(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.With) and any(
        isinstance(call := item.context_expr, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "begin_nested"
        for item in statement.items
    )


def test_the_example_services_stand_apart():
    """They are ordinary relying parties: nothing of the provider, nothing of each other."""
    forbidden = {"kit": {"booking", "certificate"}, "booking": {"certificate"}}
    forbidden["certificate"] = {"booking"}
    wrong = [
        f"{name(path)} imports {module}"
        for path in modules("clients")
        for module in _imported(path)
        if module.split(".")[0] == "idp"
        or module.split(".")[:2] in [["clients", room] for room in forbidden.get(_room(path), ())]
    ]
    assert wrong == []


def _room(path):
    return path.relative_to(ROOT / "clients").parts[0]


def _imported(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
