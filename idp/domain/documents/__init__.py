"""Terms and privacy policy: versions and agreements."""
