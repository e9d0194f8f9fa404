"""Security events that services may hear of (RFC 8417, requirements §1.16)."""

#: Every event of ours is named below this address.
PREFIX = "https://schemas.kosodate-id.example/event/"

#: What a client may subscribe to, by the short name its metadata use.
SUPPORTED = (
    "account.activated",
    "account.suspended",
    "account.closed",
    "credential.changed",
    "email.changed",
    "household.member_added",
    "household.member_removed",
    "household.representative_changed",
    "household.moved",
    "documents.changed",
    "sessions.revoked",
)
