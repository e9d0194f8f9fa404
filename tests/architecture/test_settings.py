"""config.example.toml is what the schema says (style.md rule 37)."""

from idp.settings.example import write_example
from tests.architecture.source import ROOT, text


def test_the_example_is_written_from_the_schema():
    """After a change of the schema: `idp config example > config.example.toml`."""
    assert text(ROOT / "config.example.toml") == write_example()
