"""Audit, outbox, notices and clean-up."""
