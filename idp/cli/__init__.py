"""The idp command."""
