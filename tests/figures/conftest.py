"""Result files of known statistics, written by the real writer.

Each sky is X_j(n) = M_ij n_i + a quadrupole + pixel noise, with M drawn around a mean: isotropic
(3 pc) or, with a regular field along l = 30, b = 0, 120 pc along it and 4 pc across. The entries
hold what the program itself computes from such maps.
"""

import numpy as np
import pytest
import synthetic_results

from hpc_cr.config import parse_job
from hpc_cr.frames import unit_vector
from hpc_cr.io.schema import N_SMOOTHING

JOB = """
[run]
seed = 3
realisations = 10
[turbulence]
spectrum = "kolmogorov"
rms = "4 uG"
outer_scale = "100 pc"
[particles]
rigidities = ["100 TV", "1 PV"]
nside = 8
[boundary]
times = ["20 pc", "40 pc", "80 pc"]
[gradient]
direction = [90, 0]
scale_length = "12 kpc"
[output]
l_max = 6
"""

CASES = """
[[case]]
name = "isotropic"
set = { "output.displacement" = true }
[[case]]
name = "strong-field"
[case.set]
"turbulence.rms" = "1.265 uG"
"regular.model" = "uniform"
"regular.strength" = "3.795 uG"
"regular.direction" = [30, 0]
"""

LEVELS = """
[[case]]
name = "weak"
set = { "regular.strength" = "3.9 uG", "turbulence.rms" = "0.5 uG" }
[[case]]
name = "strong"
set = { "regular.strength" = "2 uG", "turbulence.rms" = "2 uG" }
"""


def entry(job, row, rig):
    """Arrays and scalars of one entry, from the maps described above."""
    import healpy

    from hpc_cr.anisotropy.multipoles import alm_of, half_samples
    from hpc_cr.anisotropy.response import nested_quads, response_of

    rng = np.random.default_rng([row, rig])
    n = np.column_stack(healpy.pix2vec(job.particles.nside, np.arange(job.n_pix)))
    quads = nested_quads(job.particles.nside)
    halves = half_samples(quads, job.n_pix)
    b = np.asarray(job.regular_field)
    mean = 3.0 * np.eye(3)
    if b.any():
        b = b / np.linalg.norm(b)
        mean = 4.0 * np.eye(3) + 116.0 * np.outer(b, b)
    tensor = mean + 2.0 * rng.standard_normal((3, 3))
    quadrupole, arrays = rng.standard_normal(3), {}
    for growth in (0.5, 0.8, 1.0):
        maps = growth * n @ tensor + np.outer(n[:, 0] * n[:, 1], quadrupole)
        maps += 1.5 * rng.standard_normal(maps.shape)
        maps = maps.astype(np.float32).astype(float)  # as they are stored
        response = response_of(n, maps, quads)
        values = {
            "response": response.response,
            "response_error": response.error,
            "noise": response.noise,
            "direction_response": np.eye(3),
            "dipole": response.response @ job.gradient_vectors[rig],
            "alm": alm_of(maps.T, job.output.l_max),
            "alm_half": [alm_of(maps.T, job.output.l_max, use=half) for half in halves],
            # U = n: nothing has turned
            "direction_alm_half": [alm_of(n.T, job.output.l_max, use=half) for half in halves],
            "memory": np.ones(9),
            "displacement": maps.T,
        }
        for name, value in values.items():
            arrays.setdefault(name, []).append(value)
    arrays = {name: np.array(value) for name, value in arrays.items()}
    arrays["local_field"] = np.tile(b * np.linalg.norm(job.regular_field), (N_SMOOTHING, 1))
    began = 2.0 * row + rig
    return arrays | {"unfinished": 0, "over_tolerance": 0, "steps": 1, "seconds": 1.0, "rank": 0,
                     "origin": (0, "host", began, began + 0.8)}


def write(path, text, **options):
    """A result file of a job with the entries of this folder."""
    return synthetic_results.write(path, parse_job(text, name="synthetic"), entry=entry, **options)


@pytest.fixture(scope="session")
def two_cases(tmp_path_factory):
    """Cases isotropic (with displacement maps) and strong-field, complete."""
    return write(tmp_path_factory.mktemp("figures") / "two.h5", JOB + CASES)


@pytest.fixture(scope="session")
def levels(tmp_path_factory):
    """Two turbulence levels beside a field along l = 30: cases weak and strong."""
    job = JOB.replace("[gradient]", '[regular]\nmodel = "uniform"\ndirection = [30, 0]\n[gradient]')
    return write(tmp_path_factory.mktemp("figures") / "levels.h5", job + LEVELS)


@pytest.fixture(scope="session")
def one_rigidity(tmp_path_factory):
    """No cases, one rigidity, realisations 0 and 3 not finished, no maps."""
    text = JOB.replace('["100 TV", "1 PV"]', '["1 PV"]')
    path = tmp_path_factory.mktemp("figures") / "one.h5"
    return write(path, text, finished=lambda n, row, rig: row not in (0, 3))


@pytest.fixture(scope="session")
def block(tmp_path_factory):
    """Realisations 4 to 11 of a job, two observers in each, one rigidity, with maps; the first
    observer of realisation 6 (row 4) is not finished."""
    text = JOB.replace('["100 TV", "1 PV"]', '["1 PV"]').replace(
        "realisations = 10", "first_realisation = 4\nrealisations = 8"
    ).replace("nside = 8", "nside = 8\nobservers = 2") + "displacement = true\n"
    path = tmp_path_factory.mktemp("figures") / "block.h5"
    return write(path, text, finished=lambda n, row, rig: row != 4)


@pytest.fixture(scope="session")
def nothing_done(tmp_path_factory):
    """A file laid out, with no entry finished."""
    path = tmp_path_factory.mktemp("figures") / "nothing.h5"
    return write(path, JOB, finished=lambda n, row, rig: False)


@pytest.fixture(scope="session")
def field_direction():
    return unit_vector(30.0, 0.0)


@pytest.fixture(scope="session")
def geminga(tmp_path_factory):
    """The shipped job of Geminga and the local field on a coarse grid, computed."""
    import galaxy_files

    return galaxy_files.run(tmp_path_factory.mktemp("geminga"), galaxy_files.small_job())
