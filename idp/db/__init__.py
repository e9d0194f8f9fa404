"""The database: engine, column types, and the only commit."""
