"""What services send about households is read strictly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol import notices
from idp.protocol.errors import EndpointError

GOOD = {"ja": {"subject": "予約を受け付けました", "text": "4月2日 10時から\n架空保育園"}}


def refused(read, content):
    with pytest.raises(EndpointError) as caught:
        read(content)
    return caught.value.code


def test_messages_are_read():
    assert notices.take_messages({"messages": GOOD}) == {
        "ja": ("予約を受け付けました", "4月2日 10時から\n架空保育園")
    }


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        {},
        {"en": {"subject": "a", "text": "b"}},
        {"ja": "text"},
        {"ja": {"subject": "a"}},
        {"ja": {"subject": " ", "text": "b"}},
        {"ja": {"subject": "a", "text": " "}},
        {"ja": {"subject": "a\r\nBcc: x@example.jp", "text": "b"}},
        {"ja": {"subject": "a\nb", "text": "b"}},
        {"ja": {"subject": "a\0", "text": "b"}},
        {"ja": {"subject": "a", "text": "b\0"}},
        {"ja": {"subject": "x" * 121, "text": "b"}},
        {"ja": {"subject": "a", "text": "x" * 8_001}},
        GOOD | {"../../x": GOOD["ja"]},
        GOOD | {f"x{chr(97 + number)}": GOOD["ja"] for number in range(20)},
    ],
)
def test_um_01_a_message_that_could_break_a_mail_is_refused(messages):
    assert refused(notices.take_messages, {"messages": messages}) == "invalid_request"


@pytest.mark.parametrize("count", [None, -1, 1000, True, "1", 1.5])
def test_a_count_is_a_small_number(count):
    assert refused(notices.take_count, {"count": count}) == "invalid_request"
    assert notices.take_count({"count": 0}) == 0


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 5000, b'"x"', b"null"])
def test_a_body_is_one_json_object(body):
    assert refused(notices.parse_body, body) == "invalid_request"


@given(st.binary())
def test_every_body_is_read_or_refused(body):
    try:
        content = notices.parse_body(body)
    except EndpointError:
        return
    assert isinstance(content, dict)


@pytest.mark.parametrize("key", ["", "short", "x" * 129, "x" * 15 + "\n", 5])
def test_a_key_is_long_enough(key):
    assert refused(notices.take_key, {"idempotency_key": key}) == "invalid_request"
