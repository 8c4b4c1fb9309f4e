"""Arguments of `backtrack`, start directions and observers."""

import numpy as np
import pytest

from hpc_cr import backtrack, make_field
from hpc_cr.config import parse_job
from hpc_cr.trajectories.directions import (
    healpix_directions,
    observer_positions,
    random_directions,
    start_directions,
)

JOB = """
[run]
kind = "anisotropy"
seed = 5
realisations = 3
[turbulence]
rms = "0 uG"
outer_scale = "100 pc"
inner_scale = "10 pc"
[regular]
model = "uniform"
strength = "4 uG"
direction = [30.0, 40.0]
[particles]
rigidities = ["1 PV"]
{particles}
[boundary]
kind = "time"
times = ["10 pc"]
"""
NORTH = [[0.0, 0.0, 1.0]]


def job_of(particles="nside = 2"):
    return parse_job(JOB.format(particles=particles))


@pytest.fixture(scope="module")
def field():
    return make_field(job_of())


def test_uniform_field_of_a_job(field):
    assert field.b_ref == pytest.approx(4)
    assert field.shortest == np.inf
    assert field.arrays.grid.shape[0] == 0


def test_units(field):
    """1 PV = 1000 TV; 10 pc = 32.6 light years of time."""
    from astropy import units as u
    from astropy.constants import c

    plain = backtrack(field, 1.0, NORTH, [2.0, 10.0])
    time = (np.array([2.0, 10.0]) * u.pc / c).to("yr")
    for rigidity, times in ((1000 * u.TV, [2.0, 10.0] * u.pc), (1 * u.PV, time)):
        other = backtrack(field, rigidity, NORTH, times, position=[0, 0, 0] * u.kpc)
        # conversions cost an ulp or two of the rigidity, over 37 gyroradii
        np.testing.assert_allclose(other.displacement, plain.displacement, rtol=0, atol=1e-12)


def test_shapes(field):
    n = random_directions(7, 1)
    tracks = backtrack(field, 1.0, 5 * n, [1.0, 2.0, 3.0], position=np.zeros((7, 3)))
    assert tracks.displacement.shape == tracks.direction.shape == (3, 7, 3)
    assert tracks.time.shape == (3, 7)
    assert tracks.status.shape == tracks.steps.shape == tracks.over_tolerance.shape == (7,)
    one = backtrack(field, 1.0, n[0], 3.0)
    np.testing.assert_allclose(one.displacement[0, 0], tracks.displacement[2, 0], atol=5e-3)


@pytest.mark.parametrize("arguments, message", [
    ({}, "either times or radii"),
    ({"times": [1.0], "radii": [1.0]}, "either times or radii"),
    ({"times": [2.0, 1.0]}, "increasing"),
    ({"times": [0.0, 1.0]}, "positive"),
    ({"times": []}, "positive"),
    ({"times": [1.0], "method": "euler"}, "'euler' is not one of boris, cash-karp"),
    ({"times": [1.0], "rigidity": -1.0}, "rigidity must be positive"),
    ({"times": [1.0], "rigidity": np.nan}, "rigidity must be positive"),
    ({"times": [1.0], "directions": [[0, 0, 0]]}, "no length"),
    ({"times": [1.0], "directions": [[1, 0]]}, r"\(n, 3\)"),
    ({"times": [1.0], "position": [[0, 0, 0]] * 2}, r"position \(3,\)"),
    ({"times": [1.0], "steps_per_gyroradius": 0}, "steps_per_gyroradius"),
    ({"times": [1.0], "method": "cash-karp", "tolerance": -1}, "tolerance"),
])
def test_unusable_arguments(field, arguments, message):
    arguments = {"rigidity": 1.0, "directions": NORTH, **arguments}
    with pytest.raises(ValueError, match=message):
        backtrack(field, **arguments)


# ---- directions ------------------------------------------------------------------------------


def test_healpix_directions():
    """RING order: the first pixels surround the north pole, z falls with the number."""
    n = healpix_directions(4)
    assert n.shape == (192, 3)
    np.testing.assert_allclose(np.linalg.norm(n, axis=1), 1, rtol=1e-14)
    assert np.all(np.diff(n[:, 2]) < 1e-14)
    assert n[0, 2] == pytest.approx(1 - 1 / (3 * 16))
    np.testing.assert_allclose(n.mean(axis=0), 0, atol=1e-15)


def test_random_directions_are_isotropic_and_keep_their_number():
    n = random_directions(20000, 1)
    np.testing.assert_allclose(np.linalg.norm(n, axis=1), 1, rtol=1e-14)
    # <n> = 0 +- sqrt(1/3/n); <n_i n_j> = delta_ij/3 +- sqrt(4/45/n)
    assert np.all(np.abs(n.mean(axis=0)) < 3 * np.sqrt(1 / 3 / 20000))
    assert np.all(np.abs(n.T @ n / 20000 - np.eye(3) / 3) < 3 * np.sqrt(4 / 45 / 20000))
    np.testing.assert_array_equal(random_directions(10, 1), n[:10])
    assert not np.allclose(random_directions(10, 1, row=1), n[:10])
    assert not np.allclose(random_directions(10, 2), n[:10])


def test_start_directions_follow_the_job():
    np.testing.assert_array_equal(start_directions(job_of(), 1), healpix_directions(2))
    job = job_of("count = 20")
    assert start_directions(job, 0).shape == (20, 3)
    assert not np.allclose(start_directions(job, 0), start_directions(job, 1))


def test_observers():
    """The first of a realisation is at the origin; further ones where more of them leave them."""
    three, five = (observer_positions(job_of(f"nside = 2\nobservers = {k}")) for k in (3, 5))
    assert three.shape == (9, 3) and five.shape == (15, 3)
    np.testing.assert_array_equal(three[::3], 0)
    np.testing.assert_array_equal(five.reshape(3, 5, 3)[:, :3], three.reshape(3, 3, 3))
    others = three.reshape(3, 3, 3)[:, 1:].reshape(-1, 3)
    assert np.all(np.abs(others) < 500) and len(np.unique(others)) == others.size
