"""The pages of a signed-in person."""
