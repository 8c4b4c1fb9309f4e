"""Tests that need a running SLURM; `make test-slurm` starts one of three nodes for them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from mpi.launch import JOB, run_job

from .cluster import Cluster, base, bring_up
from .runs import FEW, SETTINGS


def _nodes():
    """Names of the idle or busy nodes; none where no SLURM answers."""
    if not shutil.which("sinfo"):
        return []
    done = subprocess.run(["sinfo", "--noheader", "--Node", "-o", "%N %T"],
                          capture_output=True, text=True, timeout=60)
    lines = [line.split() for line in done.stdout.splitlines()] if done.returncode == 0 else []
    return [name for name, state in lines if state in ("idle", "mixed", "allocated")]


@pytest.fixture(scope="session")
def nodes():
    """Names of at least three nodes."""
    found = _nodes()
    if len(found) < 3:
        # where tools/slurm/with_slurm.sh has started one, a broken one is no reason to skip
        leave = pytest.fail if "SLURM_TEST_BASE" in os.environ else pytest.skip
        leave(f"needs a SLURM of 3 nodes, {len(found)} answer (tools/slurm/up.sh starts one)")
    return found


@pytest.fixture(scope="session")
def own_nodes(nodes):
    """The nodes, where they may be killed: only those that tools/slurm/up.sh started."""
    if base() is None:
        pytest.skip("kills nodes: only on a SLURM that tools/slurm/up.sh started")
    return nodes


@pytest.fixture
def cluster(nodes, tmp_path, monkeypatch):
    """Submits into tmp_path; jobs that are left are cancelled, and nodes brought up again."""
    # as of a job in which the tests themselves may run
    for name in [name for name in os.environ if name.startswith(("SLURM_", "PMI", "OMPI_COMM"))]:
        if name != "SLURM_CONF":
            monkeypatch.delenv(name)
    made = Cluster(tmp_path)
    yield made
    made.clear()
    if base() is not None:
        bring_up()


@pytest.fixture(scope="session")
def scripts():
    """Folder of the shipped batch scripts."""
    return Path(__file__).resolve().parents[2] / "jobs" / "slurm"


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The job file, and the result of an uninterrupted run by mpirun, without SLURM."""
    folder = tmp_path_factory.mktemp("whole")
    job = folder / "small.toml"
    job.write_text(JOB)
    return job, run_job(job, folder / "whole.h5", "--set",
                        f"run.realisations={FEW}", *SETTINGS, ranks=2, timeout=300)
