"""What an experiment on the ground sees: right ascension, bands, energy bins, its own motion."""
