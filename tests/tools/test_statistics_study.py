"""The study of statistics per core-second: designs of directions, gains of known size."""

import numpy as np
import pytest

from tools.studies import statistics_gains as gains
from tools.studies import statistics_skies as skies


@pytest.mark.parametrize("make", [skies.pairs, skies.spiral])
def test_designs_cover_the_sky(make):
    n = make(192, np.random.default_rng(1))
    assert n.shape == (192, 3)
    np.testing.assert_allclose(np.linalg.norm(n, axis=1), 1)
    np.testing.assert_allclose(n.mean(axis=0), 0, atol=0.02)
    if make is skies.spiral:  # stratified: <n n> far better than the 0.03 of random directions
        np.testing.assert_allclose(n.T @ n / 192, np.eye(3) / 3, atol=2e-3)


def test_gain_is_the_ratio_of_variances():
    generator = np.random.default_rng(2)
    old, new = 2 * generator.standard_normal((400, 2)), generator.standard_normal((400, 2))
    gain, error = gains.gain_of(old, new)
    # two variances from 800 values each: 7 %
    assert 0.1 < error < 0.5
    assert abs(gain - 4) < 4 * error
    assert abs(gains.gain_of(new, old)[0] - 4) > 4 * error  # control: the other way round


def test_windows_of_straight_paths_are_their_length():
    n, times = skies.random_set(20, np.random.default_rng(3)), (1.0, 2.0, 4.0)
    x = np.array(times)[:, None, None] * n
    u = np.broadcast_to(n, x.shape)
    np.testing.assert_allclose(skies._windows(n, x, u, times), times)
    assert np.abs(skies._windows(n, -x, u, times) - times).min() > 1  # control: sent the other way
