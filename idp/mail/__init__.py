"""What leaves the house: mail and calls to other servers."""
