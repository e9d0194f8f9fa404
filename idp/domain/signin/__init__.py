"""Signing in: passwords, codes, locks, sessions, recovery."""
