"""What works behind the pages: delivering the outbox, cleaning up."""
