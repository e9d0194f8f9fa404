"""Tables, without behaviour."""
