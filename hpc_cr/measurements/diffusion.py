"""The Galactic diffusion coefficient that secondary-to-primary ratios ask for.

A fit to B/C in a halo of half-height H with Kolmogorov scattering,

    D(R) = 1.33e28 cm^2/s (H/kpc) (R/3 GV)^(1/3),

Blasi & Amato 2012, JCAP 01, 010 (arXiv:1105.4521), the parametrisation behind the gradient of
Mertsch & Funk 2015 (PRL 114, 021101); with H = 4 kpc it is 3.7e30 cm^2/s at 1 PV.
"""

import numpy as np

from hpc_cr.constants import PARSEC_M, SPEED_OF_LIGHT_M_PER_S

HALO_KPC = 4.0
_CM2_PER_S = 1.33e28 * HALO_KPC
_REFERENCE_PV = 3e-6
_PC_CM_PER_S = 1e4 * PARSEC_M * SPEED_OF_LIGHT_M_PER_S


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
    return (_CM2_PER_S / _PC_CM_PER_S * np.cbrt(ratio))[()]
