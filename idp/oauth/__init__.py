"""The seam to Authlib."""
