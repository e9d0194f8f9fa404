"""CSV that opens as text (IN-04)."""

import csv
import io

import pytest

from idp.base.csvtext import as_text, write_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", " =", "\u3000@"])
def test_in_04_a_cell_that_looks_like_a_formula_is_text(start):
    assert as_text(f"{start}1+1").startswith("'")


@pytest.mark.parametrize("cell", ["佐倉 美咲", "", "a@example.jp", "R8-00417"])
def test_in_04_an_ordinary_cell_stays_as_it_is(cell):
    assert as_text(cell) == cell


def test_in_04_every_cell_is_quoted_and_comes_back():
    rows = [["佐倉", 'a"b', "c,d"], ["=1", "", "x\ny"]]
    text = write_csv(rows)
    assert text.startswith("\ufeff")
    read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert read == [["佐倉", 'a"b', "c,d"], ["'=1", "", "x\ny"]]
    assert text.removeprefix("\ufeff").startswith('"佐倉","a""b","c,d"\r\n')
