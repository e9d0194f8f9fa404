"""The acceptance table is read from names of tests and from a report."""

import pytest

from tests.tools.acceptance import documented_ids, ids_in_name, read_report, state_of

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="test_a13_b23_a_mail[sqlite]"/>
<testcase classname="a" name="test_a13_b23_a_mail[postgresql]"><failure/></testcase>
<testcase classname="b" name="test_a13_another"/>
<testcase classname="b" name="test_cd_02_once"/>
<testcase classname="b" name="test_nothing"/>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("test_a13_b23_a_mail", ["A13", "B23"]),
        ("test_cd_02_once", ["CD-02"]),
        ("test_cd_02_rt_01_a12_both[x_pk_07]", ["CD-02", "RT-01", "A12"]),
        ("test_lg_09", ["LG-09"]),
        ("test_of_a13", []),
        ("test_a1_thing", []),
    ],
)
def test_ids_stand_at_the_head_of_a_name(name, ids):
    assert ids_in_name(name) == ids


def test_one_failed_case_fails_its_id(tmp_path):
    report = tmp_path / "junit.xml"
    report.write_text(REPORT)
    shown = read_report(report)
    states = {found: (len(tests), state_of(tests)) for found, tests in shown.items()}
    assert states == {"A13": (2, "failed"), "B23": (1, "failed"), "CD-02": (1, "passed")}
    assert state_of({}) == "none"


def test_every_id_is_documented_once():
    ids = documented_ids()
    assert len(ids) == len(set(ids)) == 46 + 61 + 207
