"""Power spectra of the skies in a result file, from the stored multipoles."""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy.multipoles import power
from hpc_cr.anisotropy.spectra import halves_noise
from hpc_cr.io.errors import ResultError


class PowerSpectrum(NamedTuple):
    """C_l per realisation.

    l : ndarray (n_l,), from 0
    cl : ndarray (n_row, n_l), dimensionless; NaN where the entry is not done
    noise : ndarray (n_row,), shot-noise power N; subtracted already for "noise-subtracted"
    """

    l: np.ndarray  # noqa: E741 - the field's name for it
    cl: np.ndarray
    noise: np.ndarray


def power_spectrum(results, gradient, rig, stop, estimator, local_term):
    """C_l of the skies of one rigidity and stop; see `Results.power_spectrum`.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
    gradient : ndarray (n_rig, 3)
        1/pc.
    rig, stop, estimator, local_term
        As there.

    Returns
    -------
    PowerSpectrum

    Raises
    ------
    hpc_cr.io.errors.ResultError
        The local term with the noise subtracted, or of a file without the a_lm of U.
    """
    g = gradient[rig]
    if local_term is not False:
        return _with_local_term(results, g, rig, stop, estimator, local_term)
    noise = np.einsum("ajk,j,k", results.one("noise", rig, stop), g, g)
    if estimator == "noise-subtracted":
        alm = np.einsum("ajm,j", results.one("alm", rig, stop), g)
        cl = power(alm) - noise[:, None]
    elif estimator == "cross":
        halves = np.einsum("ahjm,j->ahm", results.one("alm_half", rig, stop), g)
        cl = power(halves[:, 0], halves[:, 1])
    else:
        raise ValueError(f'estimator {estimator!r}: "noise-subtracted" or "cross"')
    return PowerSpectrum(np.arange(cl.shape[1]), cl, noise)


def _with_local_term(results, g, rig, stop, estimator, local_term):
    """That of the skies g_j X_j + 3 U_i K_ij g_j."""
    if estimator != "cross":
        raise ResultError(
            f"{results.path}: power spectrum with the local term: estimator {estimator!r} does not"
            ' know the noise of that sky; use "cross"'
        )
    results.require("anisotropy/direction_alm_half")
    current = 3 * results.diffusion(local_term)[rig, stop] @ g
    halves = np.einsum("ahjm,j->ahm", results.one("alm_half", rig, stop), g)
    halves += np.einsum("ahim,i->ahm", results.one("direction_alm_half", rig, stop), current)
    cl = power(halves[:, 0], halves[:, 1])
    return PowerSpectrum(np.arange(cl.shape[1]), cl, halves_noise(halves))
