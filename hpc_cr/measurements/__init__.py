"""Published measurements as small tables, each row with its reference."""
