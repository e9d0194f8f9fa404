"""The two example relying parties of Kosodate ID: ordinary clients that import nothing from it."""
