"""Killed ranks and nodes: the job ends or goes on elsewhere, and nothing finished is lost."""

import os
import signal

import pytest
from mpi.launch import done_entries

from .cluster import ranks, take_down
from .runs import differing, is_complete, line, origins, records, started, words

pytestmark = pytest.mark.slurm


@pytest.mark.parametrize("victims", ["one rank", "rank 0", "a node's ranks"])
def test_killed_ranks_end_a_job_under_srun(cluster, own_nodes, whole, victims):
    job, reference = whole
    out = cluster.folder / "out.h5"
    command = line("srun --mpi=pmix -K", job, out, "--resume")
    submitted = cluster.script(command, "--nodes=3", "--ntasks=6")
    started(submitted, out)
    killed = {"one rank": ranks(own_nodes[1])[-1:], "rank 0": ranks(own_nodes[0])[:1],
              "a node's ranks": ranks(own_nodes[1])}[victims]
    assert len(killed) == (2 if "node" in victims else 1)
    for number in killed:
        os.kill(number, signal.SIGKILL)
    took = submitted.wait_end(30)
    print(f"{victims}: {took:.1f} s, status {submitted.status}: {submitted.text()[-600:]}")
    assert submitted.status not in (0, 2, 75) and took < 15
    assert 3 <= done_entries(out) < 48
    again = cluster.script(command, "--nodes=2", "--ntasks=2")
    again.wait_end(120)
    assert again.status == 0, again.text()
    assert is_complete(out) and differing(reference, out) == []


@pytest.mark.parametrize("lost, launch", [
    ("a node", "srun"), ("the node of rank 0", "srun"),
    # fails at once, and must not take the job's end with it
    ("a node", "mpirun"),
])
def test_node_failure(cluster, own_nodes, scripts, whole, monkeypatch, lost, launch):
    """SLURM requeues the job, which goes on elsewhere without the node."""
    job, reference = whole
    out = cluster.folder / "out.h5"
    if launch == "mpirun":
        monkeypatch.setenv("HPC_CR_LAUNCH", "mpirun -q --bind-to none")
    submitted = cluster.sbatch("--nodes=2", "--time=30", scripts / "many-nodes.sbatch",
                               *words(job, out))
    started(submitted, out)
    victim = own_nodes[0] if "rank 0" in lost else own_nodes[1]
    before = done_entries(out)
    take_down(victim)
    took = submitted.wait(lambda: submitted.restarts == 1, 60, "requeued")
    print(f"{lost} fails: requeued after {took:.1f} s: {submitted.text()[-1500:]}")
    submitted.wait_end(120)
    assert submitted.status == 0, submitted.text()
    assert is_complete(out) and differing(reference, out) == []
    first, second = records(out)
    assert (first["restart"], second["restart"]) == (0, 1)
    assert before <= 48 - second["entries"], "something finished was computed again"
    assert second["nodes"] == 2 and {host for host, _ in origins(out)} == set(own_nodes[:3])
