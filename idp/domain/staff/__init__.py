"""Municipalities, their staff, and issuing accounts."""
