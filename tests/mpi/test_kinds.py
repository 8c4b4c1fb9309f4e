"""Diffusion and source jobs: the same numbers to the last bit however they are computed.

No tolerance: the datasets are compared as bytes. 101 particles over a team of 2 are a ragged
split, 3 ranks do not divide the fields of the two cases evenly, and with 4 ranks in teams of 2 the
tasks are split by rigidity.
"""

import os
import signal

import h5py
import pytest

from .launch import (
    HPC_CR,
    begin_run,
    differing,
    done_entries,
    mpirun,
    one_after_the_other,
    run,
    run_job,
)

pytestmark = pytest.mark.mpi

COMMON = """
[turbulence]
rms = "1 uG"
outer_scale = "20 pc"
inner_scale = "2 pc"
[grids]
cells = 24
levels = 2
periods = 2
[boundary]
times = ["3 pc", "10 pc", "40 pc"]
[regular]
model = "uniform"
strength = "4 uG"
direction = [30, 20]
"""
JOBS = {
    "diffusion": COMMON + """
[run]
kind = "diffusion"
seed = 7
realisations = 3
[particles]
rigidities = ["5 PV", "40 PV"]
count = 101
[field_lines]
count = 9
length = "40 pc"
[[case]]
name = "strong"
[[case]]
name = "isotropic"
set = { "regular.model" = "none" }
""",
    "source": COMMON + """
[run]
kind = "source"
seed = 7
realisations = 3
[particles]
rigidities = ["5 PV", "40 PV"]
count = 101
observers = 2
[source]
along = ["0 pc", "5 pc", "20 pc", "50 pc"]
perpendicular = ["0 pc", "4 pc", "10 pc"]
[[case]]
name = "strong"
[[case]]
name = "weak"
set = { "regular.strength" = "1 uG" }
""",
}
MEASURED = {"diffusion": "diffusion/tensor", "source": "source/covariance"}
LONG = ["--set", "run.realisations=5", "--set", "integrator.steps_per_gyroradius=1200"]
"""A few seconds on one core: long enough to be interrupted in the middle."""


def compute(kind, out, *settings):
    return ["run", f"{kind}.toml", "-o", f"{kind}-{out}.h5", "--quiet", *settings]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Job and result of each kind by a single process: KIND.toml, KIND-one.h5."""
    place = tmp_path_factory.mktemp("kinds")
    for kind, text in JOBS.items():
        (place / f"{kind}.toml").write_text(text)
    one_after_the_other([compute(kind, "one", *LONG) for kind in JOBS], place)
    return place


@pytest.mark.slow
@pytest.mark.parametrize("kind", JOBS)
def test_same_bits_on_4_ranks_in_teams_of_2_with_threads(folder, tmp_path, kind):
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "2")
    out = tmp_path / "many.h5"
    done = run([*mpirun(4), *HPC_CR, "run", folder / f"{kind}.toml", "-o", out, "--quiet",
                "--set", "parallel.team_size=2", *LONG], env=os.environ | threads)
    assert done.returncode == 0, done.stderr
    assert differing(folder / f"{kind}-one.h5", out) == []


def interrupted(folder, kind, out, number, ranks_then, team):
    """A run on 2 ranks that a signal ended after a few entries, resumed on others."""
    job = folder / f"{kind}.toml"
    process = begin_run(job, out, *LONG)
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        ranks = [int(number) for number in file.read().split()]
    for victim in (process.pid, *ranks) if number == signal.SIGKILL else (process.pid,):
        os.kill(victim, number)
    process.communicate(timeout=60)
    assert process.returncode == (75 if number == signal.SIGUSR1 else -signal.SIGKILL)
    whole = folder / f"{kind}-one.h5"
    assert 3 <= done_entries(out) < done_entries(whole)
    run_job(job, out, *LONG, "--resume", "--set", f"parallel.team_size={team}", ranks=ranks_then)
    assert differing(whole, out) == []


def test_diffusion_stopped_and_resumed(folder, tmp_path):
    interrupted(folder, "diffusion", tmp_path / "out.h5", signal.SIGUSR1, 3, 1)


@pytest.mark.slow
def test_source_killed_and_resumed(folder, tmp_path):
    interrupted(folder, "source", tmp_path / "out.h5", signal.SIGKILL, 4, 2)


@pytest.mark.slow
def test_diffusion_killed_and_resumed(folder, tmp_path):
    interrupted(folder, "diffusion", tmp_path / "out.h5", signal.SIGKILL, 4, 2)


@pytest.mark.slow
def test_source_stopped_and_resumed(folder, tmp_path):
    interrupted(folder, "source", tmp_path / "out.h5", signal.SIGUSR1, 3, 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", JOBS)
def test_same_bits_in_pieces_and_extended(folder, kind):
    few = ["--set", "run.realisations=2", "--set", "run.first_realisation=1"]
    commands = [
        compute(kind, "1", *LONG, "--block", "1/2"),
        compute(kind, "2", *LONG, "--block", "2/2"),
        ["merge", f"{kind}-2.h5", f"{kind}-1.h5", "-o", f"{kind}-merged.h5"],
        compute(kind, "extended", *LONG, *few, "--set", 'particles.rigidities=["40 PV"]'),
        compute(kind, "extended", *LONG, "--resume"),
        compute(kind, "seed", *LONG, "--set", "run.seed=8"),
    ]
    one_after_the_other(commands, folder)
    for way in ("merged", "extended"):
        assert differing(folder / f"{kind}-one.h5", folder / f"{kind}-{way}.h5") == [], way
    # control: the comparison sees a difference where there is one, in both cases
    names = differing(folder / f"{kind}-one.h5", folder / f"{kind}-seed.h5")
    assert len([name for name in names if name.endswith(MEASURED[kind])]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", JOBS)
def test_where_h5py_has_no_mpi(folder, tmp_path, kind):
    script, out = tmp_path / "serial.py", tmp_path / "serial.h5"
    script.write_text(
        "import sys, types, h5py\n"
        "h5py.get_config = lambda: types.SimpleNamespace(mpi=False)\n"
        "from hpc_cr.cli.main import main\n"
        "main()\n"
    )
    done = run([*mpirun(3), HPC_CR[0], script, "run", folder / f"{kind}.toml", "-o", out, *LONG])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rank 0 writes" in done.stdout
    assert differing(folder / f"{kind}-one.h5", out) == []


def test_case_without_a_regular_field_has_no_field_lines(folder):
    with h5py.File(folder / "diffusion-one.h5") as file:
        assert "field_line" in file["case/strong/diffusion"]
        assert "field_line" not in file["case/isotropic/diffusion"]
