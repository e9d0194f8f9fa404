"""Parameters: one value each, bounded, clean."""

from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.params import (
    DEFAULT_LIMIT,
    KNOWN,
    LIMITS,
    Fault,
    Params,
    find_fault,
    parse_params,
)


def test_values_are_read():
    assert dict(parse_params([("scope", "openid"), ("state", "x")]).values) == {
        "scope": "openid",
        "state": "x",
    }


def test_an_empty_value_counts_as_left_out():
    params = parse_params([("state", "")])
    assert (dict(params.values), dict(params.faults)) == ({}, {})


def test_az_05_a_parameter_that_stands_twice_has_no_value():
    params = parse_params([("state", "a"), ("scope", "openid"), ("state", "a")])
    assert dict(params.values) == {"scope": "openid"}
    assert params.faults == {"state": Fault.REPEATED}


def test_az_05_thrice_is_no_better_than_twice():
    assert parse_params([("state", "a")] * 3).faults == {"state": Fault.REPEATED}


def test_resource_may_stand_several_times():
    params = parse_params([("resource", "a"), ("resource", "b")])
    assert params.values == {"resource": "a"}
    assert params.several == {"resource": ("a", "b")}
    assert parse_params([("resource", "a")] * 21).faults == {"resource": Fault.TOO_LONG}


def test_one_bad_value_of_several_spoils_them():
    params = parse_params([("resource", "a"), ("resource", "\0"), ("resource", "b")])
    assert (dict(params.values), dict(params.several)) == ({}, {})
    assert params.faults == {"resource": Fault.CHARACTERS}


def test_unknown_parameters_are_ignored_however_they_look():
    params = parse_params([("extra", "foobar"), ("extra", "\0"), ("n" * 5000, "v" * 100_000)])
    assert (dict(params.values), dict(params.faults)) == ({}, {})


def test_az_09_a_long_state_passes_up_to_its_limit():
    value = "<>\"'&%😀" * 600
    assert find_fault("state", value[:4096]) is None
    assert find_fault("state", "x" * 4097) is Fault.TOO_LONG


def test_cd_12_controls_and_broken_text_are_refused():
    for value in ("a\0", "a\r\nb", "\x7f", "\x85", "\ud800", "\ufffd"):
        assert find_fault("code", value) is Fault.CHARACTERS


@given(st.lists(st.tuples(st.sampled_from(sorted(KNOWN)) | st.text(), st.text())))
def test_every_value_that_is_kept_is_known_bounded_and_clean(pairs):
    params = parse_params(pairs)
    assert not set(params.values) & set(params.faults)
    assert parse_params(params.pairs()) == Params(params.values, {}, params.several)
    for name, value in params.values.items():
        assert (name, value) in pairs
        assert name in KNOWN
        assert 0 < len(value) <= LIMITS.get(name, DEFAULT_LIMIT)
        assert value.isprintable() or not any(ord(sign) < 32 for sign in value)
