"""The result file: layout, writing, locking, provenance and reading."""
