"""The console of municipal staff."""
