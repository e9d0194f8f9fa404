"""The demonstration: seed data, mailbox, both relying parties."""
