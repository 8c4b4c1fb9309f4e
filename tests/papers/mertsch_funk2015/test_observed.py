"""Errors of shares and of scaled amplitudes, from panels made by hand.

Theory. Observers of one realisation that all give the same answer count as one. A gradient along
the field gives |delta| = M_par |g|: scaled to a fixed mean of M_par, the mean amplitude, and the
ratio of the means at two rigidities, are numbers without any error, however much M_par scatters.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from hpc_cr.anisotropy.resampling import share
from hpc_cr.figures.panels import Options
from hpc_cr.papers.mertsch_funk2015.rigidity import _growth, _over_energies
from hpc_cr.papers.observed import plus_minus, resampled, share_with

pytestmark = pytest.mark.paper

FIELD = np.array([4.0, 0.0, 0.0])
SCATTER = 0.3


def panel(normalisation, seed=0, observers=1, n=20):
    """M_par = 100 pc with a scatter, gradient 1e-4/pc along the field."""
    along = 100 * (1 + SCATTER * np.random.default_rng(seed).normal(size=n))
    response = np.repeat(along, observers)[:, None, None] * np.outer(FIELD, FIELD) / 16
    gradient = np.array([1e-4, 0.0, 0.0])
    return SimpleNamespace(
        response=response,
        dipoles=response @ gradient,
        gradient=gradient,
        realisation=np.repeat(np.arange(n), observers),
        field=FIELD,
        symmetry=FIELD,
        options=Options(normalisation=normalisation),
    )


def test_shares_count_realisations():
    several = panel("physical", observers=5)
    flags = np.linalg.norm(several.dipoles, axis=1) < 0.01
    found = share_with(several, lambda amplitude: amplitude < 0.01)
    assert found == pytest.approx(share(flags[::5]))
    assert found[1] > 2 * share(flags)[1]  # control: rows for realisations


def test_error_of_the_factor():
    amplitude = np.linalg.norm(panel("physical").dipoles, axis=1)
    value, error = resampled(panel("physical"), np.mean, amplitude)
    assert value == pytest.approx(amplitude.mean())
    assert error == pytest.approx(amplitude.std() / np.sqrt(20), rel=0.2)
    value, error = resampled(panel("diffusion"), np.mean, amplitude)
    assert value == pytest.approx(amplitude.mean()) and error < 1e-12


def test_error_of_the_factors_of_two_rigidities():
    for normalisation in ("physical", "diffusion"):
        panels = [panel(normalisation, seed) for seed in range(3)]
        response = np.array([p.response for p in panels])
        value, error = _over_energies((panels, response, panels[0].realisation), _growth)
        mean = response[..., 0, 0].mean(axis=1)
        assert value == pytest.approx(mean[2] / mean[0])
        if normalisation == "physical":
            assert error == pytest.approx(np.sqrt(2) * SCATTER / np.sqrt(20), rel=0.5)
        else:
            assert error < 1e-12


def test_a_share_that_the_factor_decides():
    """All amplitudes alike, a hair below a limit: the factor's error leaves the share open."""
    scaled = panel("diffusion")
    scaled.dipoles = np.full((20, 3), [0.01, 0.0, 0.0])
    binomial = share(np.ones(20, bool))[1]
    value, error = share_with(scaled, lambda amplitude: amplitude < 0.0101)
    assert value == 1.0 and error > 3 * binomial
    assert share_with(scaled, lambda amplitude: amplitude < 0.1)[1] == pytest.approx(binomial)


def test_text():
    assert plus_minus(1.234, 0.05) == "1.23 +- 0.05"
    assert plus_minus(1.234, np.nan) == "1.23" and plus_minus(np.nan, np.nan) == "-"
