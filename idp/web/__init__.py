"""HTTP: guard, parse, one operation, render or redirect."""
