"""Setting a password by mail: the first one and a forgotten one are the same walk (A07)."""
