"""What an experiment on the ground sees: right ascension, band, energy bin, the motion of the Sun."""
