"""The load scenarios: what each operation costs the real provider (`python -m benchmarks`)."""
