"""Single sources of cosmic rays: their density, what they add to the dipole, how many count."""
