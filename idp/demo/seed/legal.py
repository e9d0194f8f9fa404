"""The terms and the privacy policy of the seed."""

import tomllib
from pathlib import Path
from uuid import UUID

from idp.demo.seed.tools import SeedError, Tools
from idp.domain.documents.versions import (
    KINDS,
    NewText,
    NewVersion,
    PublishFault,
    current_texts,
    publish,
)
from idp.domain.upkeep.audit import COMMAND_LINE

_FOLDER = Path(__file__).resolve().parents[1] / "documents"
_LANGUAGES = ("ja", "en")


def sow_documents(tools: Tools, municipality_id: UUID) -> None:
    """Publish both documents unless the municipality has some in force."""
    if current_texts(tools.db, municipality_id, _LANGUAGES[0], now=tools.now):
        return
    summaries = tomllib.loads((_FOLDER / "summaries.toml").read_text(encoding="utf-8"))
    for word, kind in KINDS.items():
        texts = tuple(
            NewText(
                language=lang,
                text=(_FOLDER / f"{word}.{lang}.md").read_text(encoding="utf-8"),
                summary=summaries[word][lang],
            )
            for lang in _LANGUAGES
        )
        version = NewVersion(kind=kind, texts=texts, is_material=True, effective_at=tools.now)
        outcome = publish(tools.db, municipality_id, version, actor=COMMAND_LINE, now=tools.now)
        if isinstance(outcome, PublishFault):
            raise SeedError(f"{word}: {outcome}")
