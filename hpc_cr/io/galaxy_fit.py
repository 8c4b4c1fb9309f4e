"""Normalisations of a galaxy job fitted to the project's tables (injection.normalisation)."""

import numpy as np

from hpc_cr.galaxy import fits
from hpc_cr.io.errors import ResultError


def fit_normalisations(results):
    """Background and local source of each species, fitted to protons, helium and all particles.

    Species that are seen in all particles alone share their two factors.

    Parameters
    ----------
    results : hpc_cr.io.galaxy.GalaxyResults

    Returns
    -------
    hpc_cr.galaxy.fits.Refit
        scales (n_species, 2) multiply what is stored.

    Raises
    ------
    ResultError
        Nothing measured at the file's energies, or too little; one line.
    """

    def flux(energy):
        return np.array([results.unscaled_flux(name, energy) for name in results.species])

    try:
        return fits.refit(results.species, *fits.measured_sets(results.species, flux))
    except ValueError as error:
        raise ResultError(f"{results.path}: normalisations cannot be fitted: {error}") from None
