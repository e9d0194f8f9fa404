"""The mailbox of the demo: an SMTP server and the page that shows what it received."""
