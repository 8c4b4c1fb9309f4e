"""Hot and cold spots of a sky made of known ones.

A spot a exp(-d^2/(2 w^2)) exceeds half of its height within d = w sqrt(2 ln 2): a circle of the
diameter 2.355 w, known to a pixel (1.8 degrees at nside 32).
"""

import healpy
import numpy as np
import pytest

from hpc_cr.anisotropy.features import find_features
from hpc_cr.anisotropy.skymaps import SmoothedMap
from hpc_cr.frames import unit_vector

NSIDE = 32
WIDTH = 10.0
SPOTS = {(40.0, 30.0): 0.06, (200.0, -50.0): -0.04, (300.0, 5.0): 0.02}


def sky(spots, noise=0.002, width=WIDTH):
    n = np.column_stack(healpy.pix2vec(NSIDE, np.arange(12 * NSIDE**2)))
    values = np.zeros(len(n))
    for place, height in spots.items():
        distance = np.degrees(np.arccos(np.clip(n @ unit_vector(*place), -1, 1)))
        values += height * np.exp(-0.5 * (distance / width) ** 2)
    error = np.full(len(n), noise)
    return SmoothedMap(values, error, values / error)


def test_finds_place_size_and_significance():
    found = find_features(sky(SPOTS), 20.0)
    assert len(found) == 3
    for one, (place, height) in zip(found, SPOTS.items(), strict=True):
        distance = np.degrees(np.arccos(one.direction @ unit_vector(*place)))
        assert distance < 1.8
        assert one.amplitude == pytest.approx(height, rel=0.02)
        assert one.significance == pytest.approx(height / 0.002, rel=0.02)
        assert one.diameter == pytest.approx(2.355 * WIDTH, abs=1.8)
        np.testing.assert_allclose(unit_vector(one.longitude, one.latitude), one.direction)


def test_only_the_significant_count():
    # 0.02 is 4 sigma of 0.005
    assert [round(one.amplitude, 2) for one in find_features(sky(SPOTS, 0.005), 20.0)] == [
        0.06,
        -0.04,
    ]
    assert len(find_features(sky(SPOTS, 0.005), 20.0, significance=3.0)) == 3
    assert len(find_features(sky(SPOTS), 20.0, most=1)) == 1


def test_neighbours_of_one_sign_are_one_feature():
    close = {(40.0, 0.0): 0.06, (58.0, 0.0): 0.055}
    assert len(find_features(sky(close, width=5.0), 20.0)) == 1
    # negative control: beyond the separation, or of the other sign, they are two
    assert len(find_features(sky(close, width=5.0), 15.0)) == 2
    opposite = {(40.0, 0.0): 0.06, (58.0, 0.0): -0.055}
    assert len(find_features(sky(opposite, width=5.0), 20.0)) == 2
    # joined above half of the stronger one's height
    joined = {(40.0, 0.0): 0.06, (66.0, 0.0): 0.05}
    assert len(find_features(sky(joined, width=11.5), 20.0)) == 1


def test_missing_pixels_are_no_features():
    one = sky(SPOTS)
    hole = healpy.query_disc(NSIDE, unit_vector(200.0, -50.0), np.radians(25))
    one.values[hole] = one.significance[hole] = np.nan
    assert all(np.isfinite(f.amplitude) for f in find_features(one, 20.0))
    assert max(f.amplitude for f in find_features(one, 20.0)) == pytest.approx(0.06, rel=0.02)


def test_all_features_come_unless_asked_for_fewer():
    places = [(30.0 * i, 40.0 * (-1) ** i) for i in range(12)]
    many = {place: 0.05 + 0.002 * i for i, place in enumerate(places)}
    found = find_features(sky(many, width=4.0), 10.0)
    assert len(found) == 12
    assert [one.amplitude for one in find_features(sky(many, width=4.0), 10.0, most=5)] == [
        one.amplitude for one in found[:5]
    ]
