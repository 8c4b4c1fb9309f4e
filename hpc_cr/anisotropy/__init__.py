"""What arrives at the observer: response, dipoles, multipoles and their ensembles."""
