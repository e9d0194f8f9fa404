"""What relying parties call beside OpenID Connect."""
