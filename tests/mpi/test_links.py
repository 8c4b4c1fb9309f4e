"""Several nodes, and the links between them.

Two nodes are two sets of name spaces on this machine (`nodes`). A run over both gives the same
bits; when the link between them is cut, which MPI itself reports in no way, both sides end within
the deadline, and what was finished is kept.
"""

import time

import h5py
import pytest

from .launch import HPC_CR, JOB, differing, done_entries, run, run_job, start
from .nodes import Nodes, missing

pytestmark = pytest.mark.mpi

LONG = ["--set", "run.realisations=4", "--set", "integrator.steps_per_gyroradius=50000"]
"""Seconds of computing for 16 entries."""
DEADLINE = 3.0
BOUND = 20.0
"""s beyond the deadline; about 12 on an idle machine, of which 6 for mpirun to end by itself."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    job = folder / "small.toml"
    job.write_text(JOB)
    return job, run_job(job, folder / "whole.h5", *LONG, ranks=2)


@pytest.fixture
def nodes(tmp_path, request):
    """Two nodes; a test's parameter is the delay of their link."""
    delay = getattr(request, "param", None)
    if why := missing(delay):
        pytest.skip(why)
    with Nodes(tmp_path, delay) as made:
        yield made


def hosts(path):
    """Host names of the entries of a result file."""
    with h5py.File(path, "r") as file:
        return {name.decode() for case in file["case"].values()
                for name in case["status/origin"]["host"].ravel()}


@pytest.mark.slow
def test_same_bits_over_two_nodes_with_teams(whole, nodes, tmp_path):
    """Teams of two ranks on nodes of three and two: none spans the nodes."""
    job, complete = whole
    out = tmp_path / "two.h5"
    done = run([*nodes.mpirun(3, 2), *HPC_CR, "run", job, "-o", out, *LONG, "--quiet",
                "--set", "parallel.team_size=2"])
    assert done.returncode == 0, done.stderr
    assert differing(complete, out) == []
    assert hosts(out) == set(nodes.names)
    with h5py.File(out, "r") as file:
        assert file["provenance/runs"]["nodes"][0] == 2
        # leaders: 0 and 2 on the first node, 3 on the second
        ranks = {rank for case in file["case"].values() for rank in case["status/rank"][...].flat}
        assert ranks == {0, 2, 3}


@pytest.mark.slow
def test_cut_link_ends_both_sides(whole, nodes, tmp_path):
    job, complete = whole
    out = tmp_path / "cut.h5"
    process = start([*nodes.mpirun(2, 2), *HPC_CR, "run", job, "-o", out, *LONG,
                     "--set", f"parallel.deadline={DEADLINE} s"])
    while done_entries(out) < 3:
        assert process.poll() is None, "".join(process.communicate())
        time.sleep(0.02)
    nodes.cut("vanish")
    began = time.monotonic()
    errors = process.communicate(timeout=DEADLINE + BOUND)[1]
    ended = time.monotonic() - began
    assert process.returncode not in (0, 2, 75)
    # the other side's message has no way to this terminal
    assert f"hpc-cr: rank 3 of 4 on {nodes.names[1]} has been silent for" in errors, errors
    while any(nodes.processes()):
        assert time.monotonic() - began < DEADLINE + BOUND, nodes.processes()
        time.sleep(0.1)
    print(f"mpirun ended after {ended:.1f} s, all processes after {time.monotonic() - began:.1f} s")
    assert 3 <= done_entries(out) < 16
    nodes.mend()
    done = run([*nodes.mpirun(1, 2), *HPC_CR, "run", job, "-o", out, *LONG, "--quiet", "--resume"])
    assert done.returncode == 0, done.stderr
    assert differing(complete, out) == []


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [0.05], indirect=True)
def test_slow_link_changes_nothing(whole, nodes, tmp_path):
    """A tenth of a second there and back, which is a third of the time between signs of life."""
    job, complete = whole
    out = tmp_path / "slow.h5"
    done = run([*nodes.mpirun(2, 2), *HPC_CR, "run", job, "-o", out, *LONG, "--quiet",
                "--set", "parallel.deadline=6 s"])
    assert done.returncode == 0, done.stderr
    assert differing(complete, out) == []
    assert hosts(out) == set(nodes.names)
