"""Studies that decide defaults: each one command, results in results/, a page in the docs."""
