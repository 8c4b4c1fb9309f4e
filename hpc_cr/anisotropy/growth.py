"""How fast the response grows with rigidity.

Resonant scattering in turbulence of spectrum k^-q gives D ~ r_g^(2 - q) L_c^(q - 1) where
r_g << L_c (Kolmogorov 1/3, Kraichnan 1/2, k^-2 none), and D ~ r_g^2/L_c where r_g >> L_c.
"""

import numpy as np

from hpc_cr.anisotropy import ensembles


def growth_exponent(values, rigidity, realisation=None):
    """Exponent of the ensemble mean's growth with rigidity.

    The slope of log <M> against log R by least squares, every rigidity with the same weight. The
    rigidities of one realisation share its field, which the jackknife over realisations knows.

    Parameters
    ----------
    values : array (n, n_rig)
        One number per row and rigidity, such as tr M/3 in pc; rows with a NaN are left out.
    rigidity : array (n_rig,)
        PV.
    realisation : array (n,) of int, optional
        Realisation of each row.

    Returns
    -------
    exponent, error : float
        Standard error NaN for one realisation; both NaN where a mean is not positive.
    """
    values = np.asarray(values, float)
    use = np.isfinite(values).all(axis=1)
    group = (np.arange(len(values)) if realisation is None else np.asarray(realisation))[use]
    x = np.log(np.asarray(rigidity, float))
    weight = (x - x.mean()) / np.sum((x - x.mean()) ** 2)

    def slope(mean):
        return np.log(np.where(mean > 0, mean, np.nan)) @ weight

    exponent, error = ensembles.function_of_mean(slope, values[use], group)
    return float(exponent), float(error)
