"""Errors over realisations that no formula for a mean gives.

Theory. A share k/n of independent draws has the variance p (1 - p)/n; for k = 0 or n an error of
zero would claim certainty. The median of n normal values has the standard error
sqrt(pi/2) sigma/sqrt(n). A vector mean over n realisations, zero in truth, gives a Hotelling p that
is uniform between 0 and 1.
"""

import numpy as np
import pytest

from hpc_cr.anisotropy.resampling import DRAWS, bootstrap, bootstrap_scaled, share, zero_test


def test_share():
    value, error = share(np.arange(50) < 10)
    assert value == 0.2
    assert error == pytest.approx(np.sqrt(0.2 * 0.8 / 50), rel=0.03)
    for flags in (np.zeros(50, bool), np.ones(50, bool)):
        value, error = share(flags)
        assert value == flags[0] and 0.5 / 51 < error < 1.5 / 51
    assert np.isnan(share([])).all()


def test_share_covers_the_truth():
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(400):
        value, error = share(rng.random(50) < 0.2)
        inside.append(abs(value - 0.2) < error)
    assert abs(np.mean(inside) - 0.68) < 0.08  # 3 sigma of 400 draws, and steps of 1/50


def test_share_counts_realisations():
    flags = np.arange(50) < 10
    alone = share(flags)
    # ten observers with one answer in each realisation tell nothing more
    copies = share(np.repeat(flags, 10), np.repeat(np.arange(50), 10))
    assert copies == pytest.approx(alone)
    assert share(np.repeat(flags, 10))[1] < 0.4 * alone[1]  # control: taken as independent
    # observers that differ within their realisation do
    rng = np.random.default_rng(7)
    mixed = share(rng.random(500) < 0.2, np.repeat(np.arange(50), 10))
    assert mixed[1] < 0.6 * alone[1]


def test_scaled_to_a_mean_of_the_same_rows():
    """The mean of a quantity over that of its scale: errors of both, with their correlation."""
    rng = np.random.default_rng(5)
    n, group = 400, np.arange(400)
    along = 1 + 0.3 * rng.normal(size=(n, 1))

    def mean(rows):
        return rows.mean()

    apart = 1 + 0.4 * rng.normal(size=(n, 1, 2))
    relative = np.hypot(0.3, 0.4 / np.sqrt(2)) / np.sqrt(n)
    value, error = bootstrap_scaled(mean, apart, along, group)
    assert value == pytest.approx(apart.mean())
    assert error == pytest.approx(relative, rel=5 / np.sqrt(2 * DRAWS) + 0.1)
    # what the factor follows exactly has no error left, without the factor it has
    assert bootstrap_scaled(mean, along[..., None], along, group)[1] < 1e-12
    assert bootstrap_scaled(mean, along[..., None], None, group)[1] > 0.01


def test_bootstrap_of_a_median():
    values = np.random.default_rng(2).normal(size=2000)
    value, error = bootstrap(np.median, values, np.arange(2000))
    assert value == np.median(values)
    assert error == pytest.approx(np.sqrt(np.pi / 2 / 2000), rel=5 / np.sqrt(2 * DRAWS) + 0.1)


def test_bootstrap_counts_realisations():
    once = np.random.default_rng(3).normal(size=100)
    alone = bootstrap(np.median, once, np.arange(100))[1]
    # ten identical observers in each realisation tell nothing more
    copies = bootstrap(np.median, np.repeat(once, 10), np.repeat(np.arange(100), 10))[1]
    assert copies == pytest.approx(alone, rel=0.15)
    # control: taken as independent, they would
    assert bootstrap(np.median, np.repeat(once, 10), np.arange(1000))[1] < 0.6 * alone
    assert np.isnan(bootstrap(np.median, once, np.zeros(100))[1])


def test_zero():
    rng = np.random.default_rng(4)
    p = [zero_test(rng.normal(size=(12, 2)), np.arange(12))[1] for _ in range(300)]
    # Kolmogorov-Smirnov: 1.63/sqrt(300) at 1 %
    assert np.max(np.abs(np.sort(p) - np.linspace(0, 1, 300))) < 1.63 / np.sqrt(300)
    assert zero_test(rng.normal(size=(50, 2)) + [1.0, 0.0], np.arange(50))[1] < 1e-4
    assert np.isnan(zero_test(rng.normal(size=(2, 2)), np.arange(2))).all()
