"""認定証: the certificates of a household, and the notice of those nobody has read."""
