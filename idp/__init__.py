"""Kosodate ID: one sign-in for families across municipal childcare services."""
