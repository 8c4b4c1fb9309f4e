"""Every shipped job runs, its own sections kept, made small enough for a few seconds.

Within a small part of a gyroradius a particle flies almost straight: the response is the unit
tensor times the path s, up to the bend s/r_g (beside the diagonal) and (s/r_g)^2/2 (on it), with
r_g at the local field, taken as at most three times the reference field. Steady cosmic rays of the
Galaxy leave it or are lost at the rate at which they are injected.
"""

import contextlib
import tomllib

import numpy as np
import pytest
from mpi.launch import one_after_the_other

from hpc_cr import open_results
from hpc_cr.config import load_job
from hpc_cr.config.shipped import shipped_jobs

pytestmark = pytest.mark.slow  # pages' tests run all of these jobs in another way

SMALL = ["grids.cells=64", "grids.levels='auto'"]
OF_KIND = {"anisotropy": ["output.l_max=4", "particles.nside=4"],
           "diffusion": ["particles.count=40", "field_lines.count=2"],
           "source": ["particles.count=40"],
           "escape": ["particles.count=40", "escape.half_height='1e-6 pc'"],
           "galaxy": ["halo.cells=[16, 12]", "energies.count=6"]}
SHORT = {"time": "boundary.times=['5e-6 pc', '1e-5 pc']",
         "sphere": "boundary.radii=['0.2 pc', '0.4 pc']", "halo": "boundary.half_height='1e-4 pc'"}


def check_straight_flight(response, stops, gyroradii):
    share = (3 * stops / gyroradii[:, None])[..., None, None]
    assert np.all(np.abs(response / stops[..., None, None] - np.eye(3)) < share)


def check_conserved(fate):
    """Escaped through top and side, lost, moved in energy: shares of what is injected."""
    assert np.all(fate[..., :3] > -1e-12)
    np.testing.assert_allclose(fate.sum(axis=-1), 1, rtol=1e-6)


def check_galaxy(case):
    """Every nucleus is there, and what becomes of it is known."""
    assert np.all(case.array("galaxy/flux")[..., 0] > 0)
    fate = case.array("galaxy/fate")
    check_conserved(fate)
    with pytest.raises(AssertionError):  # control: particles that leave through the side forgotten
        check_conserved(fate[..., [0, 2, 3]])


def check(case):
    """The displacement is the path times the direction, up to the bend."""
    if case.kind == "galaxy":
        check_galaxy(case)
    elif case.kind == "anisotropy":
        check_straight_flight(case.response[0], case.stops, case.job.gyroradii)
        with pytest.raises(AssertionError):  # control: a particle that comes from -n
            check_straight_flight(-case.response[0], case.stops, case.job.gyroradii)
    elif case.kind == "diffusion":
        path = case.tensor_velocity[0].trace(axis1=-2, axis2=-1)
        bend = (3 * case.stops / case.job.gyroradii[:, None]) ** 2 / 6
        assert np.all(np.abs(path / case.stops - 1) < bend + 1e-12)
    elif case.kind == "escape":
        time, bend = case.time[0], 3 * case.time[0] / case.job.gyroradii[:, None]
        chord = np.linalg.norm(case.exit[0] - case.start[0], axis=-1)
        assert np.all(np.abs(chord / time - 1) < bend**2 / 24 + 1e-6)  # places to 1e-12 of 20 kpc
        assert np.all(np.abs(np.abs(case.exit[0, ..., 2]) - 1e-4) < 1e-8)
    else:
        square = case.covariance[0].trace(axis1=-2, axis2=-1) + np.sum(case.mean[0] ** 2, axis=-1)
        np.testing.assert_allclose(square, case.stops**2, rtol=1e-6)


def from_another(path):
    """Whether a job takes its gradient from the result of another one."""
    return "from" in tomllib.loads(path.read_text(encoding="utf-8")).get("gradient", {})


def small(path):
    """Options that make a job small."""
    job = load_job(path)
    settings = ["run.realisations=1", *OF_KIND[job.run.kind]]
    if job.run.kind != "galaxy":
        settings += [*SMALL, SHORT[job.boundary.kind]]
    return [word for setting in settings for word in ("--set", setting)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with the result of every shipped job."""
    place, jobs = tmp_path_factory.mktemp("shipped"), shipped_jobs()
    later = [name for name, path in jobs.items() if from_another(path)]
    for names in (sorted(set(jobs) - set(later)), later):
        with contextlib.chdir(place):
            commands = [["run", jobs[name], "-o", f"{name}.h5", *small(jobs[name])]
                        for name in names]
        one_after_the_other(commands, place)
    return place


@pytest.mark.parametrize("name", sorted(shipped_jobs()))
def test_shipped_job_runs(name, folder):
    with open_results(folder / f"{name}.h5") as results:
        for case in results.each_case():
            assert case.complete and not case.unfinished.any()
            if case.job.particles.patch is not None:  # no dipole; tests/campaigns/test_patch.py
                continue
            check(case)
