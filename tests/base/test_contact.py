"""What people type as a postal code."""

import pytest

from idp.base.contact import ContactError, parse_postal_code


@pytest.mark.parametrize(
    "text", ["0000001", "000-0001", "〒000-0001", "〒０００－０００１", "０００ー０００１"]
)
def test_b03_a_postal_code_is_understood_however_it_is_typed(text):
    assert parse_postal_code(text) == "0000001"


@pytest.mark.parametrize("text", ["", "〒", "000-001", "00000001", "000-000a", "٠٠٠-٠٠٠١"])
def test_b03_what_is_no_postal_code_is_refused(text):
    with pytest.raises(ContactError) as refused:
        parse_postal_code(text)
    assert refused.value.reason == "postal_shape"
