"""Memory of directions, <P_l(n.U)>, where the rotation of every direction is known.

Theory. In a uniform field after the time T all directions have turned by phi = T/r_g about the
field. The mean of P_l(n.Rn) over the sky for a rotation R by phi is its character over its
dimension, sin((2l + 1) phi/2)/[(2l + 1) sin(phi/2)]. The mean over HEALPix centres of nside 16 of a
polynomial of degree 2l is that over the sphere to 1e-3 (the value for the quadrupole; A of the
response has the same quality).
"""

import numpy as np
import pytest
from particles import rigidity_of, transport_job

from hpc_cr import make_field
from hpc_cr.anisotropy.observables import MEMORY_L, direction_memory
from hpc_cr.trajectories import backtrack
from hpc_cr.trajectories.directions import healpix_directions

ELL = np.arange(MEMORY_L + 1)


def character(angle):
    half = angle / 2
    return np.sin((2 * ELL + 1) * half) / ((2 * ELL + 1) * np.sin(half))


@pytest.mark.parametrize("angle", [0.3, 1.7, 2.9, 5.0])
def test_uniform_field(angle):
    job = transport_job(rms=0.0, regular=(4.0, [30, 40]))
    field = make_field(job)
    directions = healpix_directions(16)
    gyroradius = 2.0
    found = backtrack(field, rigidity_of(gyroradius, field), directions,
                      [gyroradius * angle], steps_per_gyroradius=50)
    memory = direction_memory(directions, found.direction[0])
    assert memory[0] == 1.0
    assert np.abs(memory - character(angle)).max() < 2e-3
    # control: another angle, or the decay without the sphere's average
    assert np.abs(memory - character(angle + 0.1)).max() > 5e-3
    assert np.abs(memory - np.cos(ELL * angle)).max() > 0.1


def test_missing_particles_are_left_out():
    directions = healpix_directions(4)
    final = directions.copy()
    final[::3] = np.nan
    np.testing.assert_allclose(direction_memory(directions, final), 1.0)
    assert np.isnan(direction_memory(directions, np.full_like(final, np.nan))).all()
