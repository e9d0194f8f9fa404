"""Settings: frozen, typed, checked at start."""
