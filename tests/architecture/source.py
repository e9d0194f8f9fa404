"""The source as the architecture tests see it."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def templates() -> list[Path]:
    """Every Jinja template, the provider's and the example services'."""
    folders = [ROOT / "templates", *(ROOT / "clients").glob("*/templates")]
    return sorted(path for folder in folders for path in folder.rglob("*.html"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def without_comments(template: Path) -> str:
    return re.sub(r"\{#.*?#\}", "", text(template), flags=re.DOTALL)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def literals(path: Path) -> Iterator[str]:
    """Every piece of literal text in a module, the fixed parts of f-strings too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def repository_files() -> tuple[Path, ...]:
    """Every file that is in the repository or would be with the next commit."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    paths = (ROOT / entry for entry in listing.split("\0") if entry)
    return tuple(path for path in paths if path.is_file())


def text_files() -> Iterator[tuple[str, str]]:
    """Name and content of every text file of the repository."""
    for path in repository_files():
        try:
            yield name(path), text(path)
        except UnicodeDecodeError:
            continue
