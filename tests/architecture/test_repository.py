"""What lies in the repository: no secrets, no addresses of ours, dependencies as described."""

import ast
import json
import re
import tomllib

import pytest

from tests.architecture.source import (
    ROOT,
    modules,
    name,
    repository_files,
    text,
    text_files,
    tree,
)

LOCKS = ("requirements.lock", "requirements-dev.lock")
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+) \\$", re.MULTILINE)
SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}",
    "a token of ours": r"\beyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}",
    "a key of a hosting company": r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[abp]-[0-9]{8})",
    "a password in an address": r"\b[a-z+]+://[^\s/:@\"'<>{}]+:[^\s/@\"'<>{}*…]{8,}@[a-z]",
}
#: Import names that differ from the name of the distribution.
IMPORT_NAMES = {
    "argon2-cffi": "argon2",
    "flask-mail": "flask_mail",
    "flask-sqlalchemy": "flask_sqlalchemy",
    "phonenumberslite": "phonenumbers",
}
#: Only named in an address: of the database, of the store of rates.
NEVER_IMPORTED = {"psycopg", "redis"}


def _project():
    return tomllib.loads(text(ROOT / "pyproject.toml"))["project"]


def _plain(requirement):
    return re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower().replace("_", "-")


def _run_time():
    project = _project()
    extras = project["optional-dependencies"]
    return [_plain(line) for line in project["dependencies"] + extras["demo"] + extras["redis"]]


def _all_dependencies():
    return [*_run_time(), *map(_plain, _project()["optional-dependencies"]["dev"])]


def _pins(lock):
    pins = PINNED.findall(text(ROOT / lock))
    return {package.lower().replace("_", "-"): version for package, version in pins}


@pytest.mark.parametrize("what", SECRETS)
def test_lg_09_no_secret_is_in_the_repository(what):
    found = [
        f"{path}: {match[0][:40]}"
        for path, content in text_files()
        for match in re.finditer(SECRETS[what], content)
    ]
    assert found == []


def test_nothing_names_a_path_of_somebody_s_machine():
    personal = re.compile(r"(?<![\w.])/(?:home|Users|root)/[A-Za-z]")
    found = [
        f"{path}: {hit[0]}" for path, content in text_files() if (hit := personal.search(content))
    ]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS)
def test_lg_09_locks_name_versions_and_hashes_only(lock):
    content = text(ROOT / lock)
    assert "://" not in content
    assert not re.search(r"^-", content, re.MULTILINE)
    blocks = re.split(r"^(?=[A-Za-z0-9])", content, flags=re.MULTILINE)
    loose = [block.splitlines()[0] for block in blocks[1:] if "--hash=sha256:" not in block]
    assert loose == []


def test_lg_09_locks_hold_every_dependency_and_agree():
    run_time, all_of_them = (_pins(lock) for lock in LOCKS)
    assert set(_run_time()) <= set(run_time)
    assert set(_all_dependencies()) <= set(all_of_them)
    assert run_time.items() <= all_of_them.items()


@pytest.mark.parametrize(
    "path", [path for path in repository_files() if path.name == "package-lock.json"], ids=name
)
def test_lg_09_npm_locks_name_hashes_and_no_address(path):
    packages = json.loads(text(path))["packages"]
    packages.pop("")
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert "resolved" not in text(path)


def test_every_dependency_is_described():
    rows = re.findall(r"^\| ([A-Za-z0-9_.-]+)", text(ROOT / "docs/dependencies.md"), re.MULTILINE)
    described = {row.lower() for row in rows} - {"package", "---"}
    assert described == set(_all_dependencies())


def test_every_run_time_dependency_is_used():
    imported = {module for path in modules("idp", "clients") for module in _imports(path)}
    unused = [
        package
        for package in _run_time()
        if IMPORT_NAMES.get(package, package) not in imported and package not in NEVER_IMPORTED
    ]
    assert unused == []


def _imports(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_docs_protocol_names_tests_that_exist():
    table = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", table))
    assert len(named) > 30
    assert sorted(path for path in named if not (ROOT / path).is_file()) == []
