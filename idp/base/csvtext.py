"""Tables as CSV that a spreadsheet opens as text, and as nothing but text."""

import csv
import io
from collections.abc import Iterable

#: A cell that begins so is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(rows: Iterable[Iterable[str]]) -> str:
    """Return the rows quoted, each cell as text; the mark at the start tells Excel it is UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([as_text(cell) for cell in row] for row in rows)
    return "\ufeff" + out.getvalue()


def as_text(cell: str) -> str:
    """Return the cell so that no spreadsheet computes it (IN-04)."""
    return f"'{cell}" if cell.lstrip(" \u3000").startswith(_FORMULA) else cell
