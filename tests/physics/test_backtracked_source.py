"""Backtracking into the cloud of a burst gives 3R/(2cT), whatever the field.

An observer on the source's field line, 200 pc away, 2 Myr (6e5 pc) after the burst: the
antiparticles' places at T - tau in the Gaussian cloud of D make the dipole <M> grad ln n = 3
R/(2cT) <M_par>/(3 D_par), and <M_par> = 3 D_par [1 - exp(-tau/(3 D_par))] nearly, with D_par from
forward-moving particles in other realisations. 20 PV (r_g = 14 to 22 pc, about 3 L_c) in 1 uG of
turbulence: without a regular field, beside half of it and beside 1.2 times as much; tau is five
mean free paths or more.
"""

import numpy as np
import pytest

from hpc_cr import backtrack, make_field
from hpc_cr.config import parse_job
from hpc_cr.sources import dipole, gaussian
from hpc_cr.trajectories.directions import random_directions, random_positions

JOB = """
[run]
seed = 3
[turbulence]
spectrum = "kolmogorov"
rms = "1 uG"
outer_scale = "25 pc"
inner_scale = "4 pc"
[grids]
cells = 32
[particles]
rigidities = ["20 PV"]
nside = 1
[boundary]
times = ["1 pc"]
"""
REGULAR = '[regular]\nmodel = "uniform"\nstrength = "{} uG"\ndirection = [0, 0]\n'
FIELDS = {"none": ("", 600.0), "half": (REGULAR.format(0.5), 1200.0),
          "more": (REGULAR.format(1.2), 2400.0)}  # job, tau in pc
RIGIDITY, DISTANCE, TIME = 20.0, 200.0, 6.13e5  # PV, pc, pc
ROWS, COUNT = 16, 300
X = np.eye(3)[0]


def forward(job, tau):
    """D_par (or D) of forward-moving particles from random places, with its error, pc."""
    found = []
    for realisation in range(ROWS):
        field = make_field(job, realisation)
        places = random_positions(2 * COUNT, 7, realisation, 250.0)
        moved = backtrack(field, RIGIDITY, random_directions(2 * COUNT, 8, realisation),
                          [tau / 2, 1.5 * tau], position=places, charge=1).displacement
        square = moved[..., 0] ** 2 if np.any(job.regular_field) else (moved**2).mean(axis=-1)
        found.append(np.diff(square.mean(axis=1))[0] / (2 * tau))
    return np.mean(found), np.std(found, ddof=1) / np.sqrt(ROWS)


@pytest.mark.parametrize("name", FIELDS)
def test_dipole_does_not_depend_on_the_field(name):
    text, tau = FIELDS[name]
    job = parse_job(JOB + text)
    along, along_error = forward(job, tau)
    tensor = gaussian.uniaxial(along, along if name == "none" else 0.5, X)
    dipoles, linear = [], []
    for realisation in range(100, 100 + ROWS):
        n = random_directions(COUNT, 9, realisation)
        n = np.concatenate([n, -n])
        moved = backtrack(make_field(job, realisation), RIGIDITY, n, [tau]).displacement[0]
        dipoles.append(dipole.backtracked_dipole(moved, n, DISTANCE * X, TIME, tau, tensor))
        response = np.linalg.solve(n.T @ n, n.T @ moved)
        linear.append(dipole.response_dipole(response, DISTANCE * X, TIME, tensor))
    mean, error = dipole.response_over_diffusion(np.array(linear), DISTANCE * X, TIME,
                                                 np.arange(ROWS))
    short = np.exp(-tau / (3 * along))  # what is still missing of <M>
    allowed = 4 * np.hypot(error[0], along_error / along)
    assert short < 0.1 and allowed < 0.5
    assert -short - allowed < mean[0] - 1 < allowed
    assert np.all(np.abs(mean[1:]) < 4.5 * error[1:])
    # the density itself instead of its gradient: the same with more noise, from the square of X
    whole, spread = dipole.response_over_diffusion(np.array(dipoles), DISTANCE * X, TIME,
                                                   np.arange(ROWS))
    assert abs(whole[0] - mean[0]) < 4 * spread[0]
    # controls: the other sign, and the streaming without the factor 3
    assert abs(-mean[0] - 1) > allowed and abs(mean[0] / 3 - 1) > allowed
