"""The transport equation of cosmic rays in the Galaxy: grid, medium, nuclei, solutions."""
