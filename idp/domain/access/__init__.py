"""Ending access: what a suspension, a removed proxy or a new address takes with it."""
