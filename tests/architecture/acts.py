"""What is spelled out in the source and ends in the audit log: names of acts, reasons."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.architecture.source import modules, name, tree

Writer = tuple[str, str]
#: What every audit row begins with: module and name of the class.
_ACT = ("idp.domain.upkeep.audit", "Act")
_PLACES = {"name": 0, "reason": 4}


@dataclass(frozen=True)
class Written:
    """Every literal, and the places where what is written could not be followed."""

    values: frozenset[str]
    lost: tuple[str, ...]


@cache
def find_written(part: str) -> Written:
    """Follow a part of an act from the literal through every helper that is handed it."""
    writers, known = {_ACT: (_PLACES[part], part)}, 0
    names: set[str] = set()
    lost: list[str] = []
    while len(writers) != known:
        known, lost = len(writers), []
        for module in modules("idp"):
            for function, call, wanted in _calls(module, writers):
                for value in _values(call, wanted, function):
                    if isinstance(value, str):
                        names.add(value)
                    elif isinstance(value, ast.Name) and value.id in _parameters(function):
                        place = (_parameters(function).index(value.id), value.id)
                        writers[_module_of(module), function.name] = place
                    else:
                        lost.append(f"{name(module)}:{call.lineno}")
    return Written(frozenset(names), tuple(lost))


def _module_of(path) -> str:
    return name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _calls(module, writers) -> Iterator[tuple[ast.FunctionDef, ast.Call, tuple[int, str]]]:
    here = _names_here(module, writers)
    for function in ast.walk(tree(module)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and _called(call) in here:
                yield function, call, here[_called(call)]


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _names_here(module, writers) -> dict[str, tuple[int, str]]:
    """What the writers are called in a module: its own ones and the imported ones."""
    here = {what: at for (where, what), at in writers.items() if where == _module_of(module)}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                for (where, what), at in writers.items():
                    local = alias.asname or alias.name
                    if (node.module, alias.name) == (where, what):
                        here[local] = at
                    elif whole == where:
                        here[f"{local}.{what}"] = at
    return here


def _parameters(function) -> list[str]:
    return [each.arg for each in (*function.args.posonlyargs, *function.args.args)] + [
        each.arg for each in function.args.kwonlyargs
    ]


def _values(call: ast.Call, wanted: tuple[int, str], function) -> Iterator[str | ast.expr]:
    at, parameter = wanted
    given = [each.value for each in call.keywords if each.arg == parameter] or call.args[
        at : at + 1
    ]
    for expression in given:
        yield from _resolve(expression, function)


def _resolve(expression: ast.expr, function) -> Iterator[str | ast.expr]:
    """Take an expression apart down to literals; a local name by everything it is set to."""
    match expression:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from _resolve(expression.body, function)
            yield from _resolve(expression.orelse, function)
        case ast.Name() if found := list(_settings(expression.id, function)):
            for each in found:
                yield from _resolve(each, function)
        case _:
            yield expression


def _settings(local: str, function) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[target]):
                yield from _parts(target, node.value, local)
            case ast.For(target=ast.Name(id=loop)) if loop == local:
                yield from _elements(node.iter)


def _parts(target: ast.expr, value: ast.expr, local: str) -> Iterator[ast.expr]:
    """`name = value`, `a, name = values`, `a, name = these if x else those`."""
    match target, value:
        case ast.Name(id=found), _ if found == local:
            yield value
        case ast.Tuple(), ast.IfExp():
            yield from _parts(target, value.body, local)
            yield from _parts(target, value.orelse, local)
        case ast.Tuple(), ast.Tuple():
            for part, what in zip(target.elts, value.elts, strict=True):
                yield from _parts(part, what, local)


def _elements(value: ast.expr) -> Iterator[ast.expr]:
    match value:
        case ast.IfExp():
            yield from _elements(value.body)
            yield from _elements(value.orelse)
        case ast.Tuple() | ast.List() | ast.Set():
            yield from value.elts
        case _:
            yield value
