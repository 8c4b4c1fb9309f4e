"""Escape jobs: the same bits on any ranks and teams, and after an interruption.

A particle's path ends where it leaves the Galaxy, so that the particles that stay are gathered
again and again: in other company on every rank.
"""

import signal

import pytest

from .launch import begin_run, differing, done_entries, run_job

pytestmark = pytest.mark.mpi

JOB = """
[run]
kind = "escape"
seed = 7
realisations = 3

[turbulence]
rms = "0.3 uG"
outer_scale = "25 pc"
profile = "jf12-halo"

[grids]
cells = 24
periods = 2
cells_per_wavelength = 3

[regular]
model = "jf12"

[particles]
rigidities = ["300 PV", "1 EV"]
count = 61

[integrator]
steps_per_gyroradius = 1000

[boundary]
half_height = "1 kpc"
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("escape")
    job = folder / "escape.toml"
    job.write_text(JOB)
    return job, run_job(job, folder / "one.h5")


def test_same_bits_on_a_team(whole, tmp_path):
    job, one = whole
    many = run_job(job, tmp_path / "many.h5", "--set", "parallel.team_size=2", ranks=2)
    assert differing(one, many) == []
    other = run_job(job, tmp_path / "other.h5", "--set", "run.first_realisation=1")  # control
    assert any(name.endswith("escape/escape_time") for name in differing(one, other))


@pytest.mark.slow
def test_interrupted_and_resumed(whole, tmp_path):
    job, complete = whole
    out = tmp_path / "stopped.h5"
    process = begin_run(job, out, entries=1)
    process.send_signal(signal.SIGUSR1)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 75, errors
    assert 1 <= done_entries(out) < 6
    run_job(job, out, "--resume", "--set", "parallel.team_size=2", ranks=2)
    assert differing(complete, out) == []
