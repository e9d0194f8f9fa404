"""What both relying parties share: sign-in, sessions, logout, pages, outgoing notices."""
