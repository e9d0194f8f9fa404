"""Clients, consents, codes, tokens and keys."""
