"""Identities at another provider: a person proves there who she is."""
