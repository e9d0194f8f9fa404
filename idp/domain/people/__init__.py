"""People, households and what binds them."""
