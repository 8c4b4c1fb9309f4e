"""The dipole at an energy from the Galaxy's gradient and the response of the local turbulence.

The transport equation of the Galaxy gives the density N_s of every nucleus at the Sun and its
gradient g_s = grad(N_s)/N_s; backtracking in one realisation of the local turbulence gives the
response M(R) that turns a gradient into a dipole. At one energy E of the particle the nuclei have
different rigidities E/(Z e), but see the same field:

    delta(E) = sum_s J_s(E) M(E/Z_s) g_s(E/Z_s) / sum_s J_s(E),

J_s their fluxes. Between the rigidities of a job M is interpolated linearly in ln R. The gradient
is taken to be the same over the distance that particles come from, some mean free paths.
"""

from typing import NamedTuple

import numpy as np


class Nucleus(NamedTuple):
    """One species, or one component of it, at the energies of interest.

    Attributes
    ----------
    rigidity : ndarray (n_energy,)
        PV.
    flux : ndarray (n_energy,)
        Per energy, the same unit for all.
    gradient : ndarray (n_energy, 3)
        grad(N)/N, 1/pc, Galactic Cartesian.
    """

    rigidity: np.ndarray
    flux: np.ndarray
    gradient: np.ndarray


class Prediction(NamedTuple):
    """Dipoles of every realisation.

    Attributes
    ----------
    dipoles : ndarray (n_row, n_energy, 3)
        Galactic Cartesian, towards the excess; NaN where no nucleus is within the rigidities.
    covered : ndarray (n_energy,)
        Share of the flux whose rigidities are within those of the response; `dipoles` are of this
        share.
    """

    dipoles: np.ndarray
    covered: np.ndarray


def predict(response, rigidities, nuclei):
    """Dipoles at energies for every realisation.

    Parameters
    ----------
    response : array (n_row, n_rig, 3, 3)
        M_ij, pc.
    rigidities : array (n_rig,)
        PV, in any order.
    nuclei : sequence of Nucleus

    Returns
    -------
    Prediction
    """
    order = np.argsort(rigidities)
    nodes = np.log(np.asarray(rigidities, float)[order])
    response = np.asarray(response, float)[:, order]
    total, known = 0.0, 0.0
    flow = np.zeros((len(response), len(nuclei[0].flux), 3))
    for nucleus in nuclei:
        weights = _weights(nodes, np.log(nucleus.rigidity))
        inside = np.isfinite(weights).all(axis=1)
        part = np.where(inside, nucleus.flux, 0.0)
        total, known = total + nucleus.flux, known + part
        used = np.where(inside[:, None], weights, 0.0)
        gradient = np.where(part[:, None] > 0, nucleus.gradient, 0.0)
        flow += np.einsum("e,ek,rkij,ej->rei", part, used, response, gradient)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Prediction(flow / known[:, None], known / total)


def _weights(nodes, x):
    """Of the nodes for linear interpolation at x, (n, n_node); NaN beyond the ends."""
    tiny = 1e-9  # an end that rounding misses
    x = np.where((x > nodes[0] - tiny) & (x < nodes[-1] + tiny),
                 np.clip(x, nodes[0], nodes[-1]), np.nan)
    return np.stack([np.interp(x, nodes, unit) for unit in np.eye(len(nodes))], axis=1)
