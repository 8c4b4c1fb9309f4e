"""Result files in which every statement about dipoles and the field has a known answer.

Rigidities 10 TV, 100 TV and 1 PV, gradient 1/(12 kpc) towards l = 90, the same response at all
stops. Case isotropic: M = 2.5 pc (1 + G), G of unit normal numbers, and a memory that decays as
isotropic scattering with tau = 2.5 pc/c. Cases total-4uG and turbulent-4uG, B0 towards l = 0:
M = lambda b b + a b e with e the direction of the gradient, so that all dipoles lie along b, and
a from AMPLITUDES (|delta| at 90 degrees, 1 PV; of both signs); lambda grows as the cube root of the
rigidity. The field around the observer is turned away from b by TILT degrees, radius by radius.
"""

import numpy as np
import synthetic_results

from hpc_cr.config import parse_job

ROWS = 20
MEAN = 2.5
LAMBDA = 60.0
"""Half of what B/C asks for at 1 PV (120 pc): scaled to that, everything at 1 PV doubles."""
AMPLITUDES = np.array([6.4e-4] * 4 + [1e-4] * 8 + [2e-3] * 8)
"""4 of 20 within EAS-TOP's amplitude at 1 PV, 12 below KASCADE's limit."""
FALLING = 6
"""Rows below this number fall somewhere between 10 TV and 1 PV."""
DIP = 1
"""Of these, those that fall and then rise."""
TILT = (35.0, 30.0, 15.0, 0.0, 5.0, 10.0, 20.0, 30.0)
BEST = 3

JOB = f"""
[run]
seed = 3
realisations = {ROWS}
[turbulence]
spectrum = "kolmogorov"
outer_scale = "100 pc"
[particles]
rigidities = ["10 TV", "100 TV", "1 PV"]
nside = 4
[boundary]
times = ["0.5 pc", "1 pc", "2 pc"]
[gradient]
direction = [90, 0]
scale_length = "12 kpc"
[output]
l_max = 4
[[case]]
name = "isotropic"
set = {{ "turbulence.rms" = "4 uG" }}
"""
FIELDS = """
[[case]]
name = "total-4uG"
[case.set]
"turbulence.rms" = "1.265 uG"
"regular.model" = "uniform"
"regular.strength" = "3.795 uG"
"regular.direction" = [0, 0]
[[case]]
name = "turbulent-4uG"
[case.set]
"turbulence.rms" = "4 uG"
"regular.model" = "uniform"
"regular.strength" = "12 uG"
"regular.direction" = [0, 0]
"""


def relative_size(row):
    """|delta| of a row at 10 TV, 100 TV and 1 PV over that at 1 PV, for a gradient at 90 deg."""
    if row < FALLING:
        return {4: (0.2, 0.1, 1.0), 5: (2.0, 1.5, 1.0)}.get(row, (0.2, 2.0, 1.0))
    return (0.2, 0.5, 1.0)


def response_of(job, row, rig):
    """M (3, 3) of one entry, pc."""
    b = np.asarray(job.regular_field)
    if not b.any():
        return MEAN * (np.eye(3) + np.random.default_rng([row, rig]).normal(size=(3, 3)))
    b = b / np.linalg.norm(b)
    rigidity = job.particles.rigidities[rig]
    size = AMPLITUDES[row] * 12_000 * (-1) ** row
    size *= relative_size(row)[rig]
    return LAMBDA * np.cbrt(rigidity) * np.outer(b, b) + size * np.outer(b, [0.0, 1.0, 0.0])


def entry(job, row, rig, change=lambda response: response, rate=lambda degree: degree + 1,
          error=1e-3):
    """Arrays and scalars of one entry; change and rate spoil it for a control.

    rate : of the decay of multipole l, in units of l/(2 tau); error : sampling error of M, pc, one
    number or one per stop.
    """
    arrays = synthetic_results.entry(job, row, rig)
    stops, degree = np.asarray(job.stops)[rig], np.arange(9)
    rng = np.random.default_rng([row, rig, 1])
    response = np.repeat(change(response_of(job, row, rig))[None], len(stops), axis=0)
    decay = np.exp(-degree * rate(degree) * stops[:, None] / (2 * MEAN))
    decay[:, 1:] *= 1 + 1e-2 * rng.normal(size=8)
    tilt = np.radians(TILT)
    field = np.stack([np.cos(tilt), np.zeros(8), np.sin(tilt)], axis=-1)
    return arrays | {
        "response": response,
        "response_error": np.broadcast_to(np.reshape(error, (-1, 1, 1)), response.shape),
        "noise": np.broadcast_to(np.eye(3) * 1e-6, response.shape),
        "direction_response": np.broadcast_to(np.eye(3), response.shape),
        "dipole": response @ np.asarray(job.gradient_vectors)[rig],
        "memory": decay,
        "local_field": 4.0 * field,
    }


def write(path, text=JOB + FIELDS, name="mertsch_funk2015", **spoilt):
    """The file of a job of a name; further keywords are those of `entry`."""

    def one(job, row, rig):
        return entry(job, row, rig, **spoilt)

    return synthetic_results.write(path, parse_job(text, name=name), entry=one)
