"""What every room may use: clock, secrets, text, URLs, outgoing HTTP."""
