"""The Galactic diffusion coefficient that secondary-to-primary ratios ask for.

A fit to B/C in a halo of half-height H with Kolmogorov scattering,

    D(R) = 1.33e28 cm^2/s (H/kpc) (R/3 GV)^(1/3),

Blasi & Amato 2012, JCAP 01, 010 (arXiv:1105.4521), the parametrisation behind the gradient of
Mertsch & Funk 2015 (PRL 114, 021101); with H = 4 kpc it is 3.7e30 cm^2/s at 1 PV.
"""

import numpy as np

from hpc_cr.constants import PC_C_CM2_PER_S

HALO_KPC = 4.0
_CM2_PER_S = 1.33e28 * HALO_KPC
_REFERENCE_PV = 3e-6

BAND_CM2_PER_S = (3e28, 8e28)
"""Range of the coefficient at BAND_PV that fits of B/C come to, cm^2/s (Giacinti et al. 2018)."""
BAND_PV = 1e-5


def boron_to_carbon(rigidity):
    """Isotropic diffusion coefficient D_B/C over c.

    Parameters
    ----------
    rigidity : float or array (...)
        PV.

    Returns
    -------
    float or ndarray (...)
        D/c in pc; the mean free path 3 D/c is three times as long.
    """
    ratio = np.asarray(rigidity, float) / _REFERENCE_PV
    return (_CM2_PER_S / PC_C_CM2_PER_S * np.cbrt(ratio))[()]


def boron_to_carbon_band(rigidity):
    """Lowest and highest isotropic diffusion coefficient that B/C allows, over c.

    (3-8)e28 cm^2/s (R/10 GV)^(1/3), Kolmogorov scattering: the range of Giacinti, Kachelriess &
    Semikoz 2018, JCAP 07, 051 (arXiv:1710.08205).

    Parameters
    ----------
    rigidity : float or array (...)
        PV.

    Returns
    -------
    low, high : float or ndarray (...)
        D/c in pc.
    """
    growth = np.cbrt(np.asarray(rigidity, float) / BAND_PV)
    low, high = (value / PC_C_CM2_PER_S * growth for value in BAND_CM2_PER_S)
    return low[()], high[()]
