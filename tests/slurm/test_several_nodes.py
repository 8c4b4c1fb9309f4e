"""Ranks on several nodes: the same bits as without SLURM, teams inside nodes."""

import pytest

from .runs import differing, is_complete, line, origins, records, started

pytestmark = pytest.mark.slurm

LAYOUTS = {   # options of sbatch, of srun; ranks and team size
    "one rank per node": ("--nodes=3 --ntasks=3", "", 3, 1),
    # neighbours in rank sit on different nodes: ranks 0 and 1 could not share memory
    "ranks dealt out in turn": ("--nodes=3 --ntasks=6", "--distribution=cyclic", 6, 2),
    "uneven teams": ("--nodes=3 --ntasks=5", "--distribution=block", 5, 2),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_srun(cluster, nodes, whole, layout):
    asked, how, ranks, team = LAYOUTS[layout]
    job, reference = whole
    out = cluster.folder / "out.h5"
    launch = f"srun --mpi=pmix -K {how}"
    submitted = cluster.script(line(launch, job, out, "--set", f"parallel.team_size={team}"),
                               *asked.split())
    submitted.wait_end(120)
    assert submitted.status == 0, submitted.text()
    assert is_complete(out) and differing(reference, out) == []
    (row,) = records(out)
    assert (row["nodes"], row["ranks"], row["team_size"]) == (3, ranks, team)
    assert row["job_id"] == submitted.number
    written = set(origins(out))
    assert {host for host, _ in written} == set(nodes[:3]), "a node has computed nothing"
    # a team's first rank writes, and a team of two fills a node: one writer on each
    assert team == 1 or len(written) == 3, written


def test_mpirun_inside_an_allocation(cluster, nodes, whole):
    job, reference = whole
    out = cluster.folder / "out.h5"
    launch = "mpirun -q --bind-to none"
    submitted = cluster.script(line(launch, job, out, "--set", "parallel.team_size=2"),
                               "--nodes=3", "--ntasks=6")
    submitted.wait_end(120)
    assert submitted.status == 0, submitted.text()
    assert is_complete(out) and differing(reference, out) == []
    (row,) = records(out)
    assert (row["nodes"], row["ranks"]) == (3, 6)
    assert len(set(origins(out))) == 3


def test_two_jobs_on_one_file(cluster, nodes, whole):
    """The second, on another node, is refused with one line; the first goes on."""
    job, reference = whole
    out = cluster.folder / "out.h5"
    launch = "srun --quiet --mpi=pmix -K"
    first = cluster.script(line(launch, job, out), f"--nodelist={nodes[0]}", "--ntasks=1")
    started(first, out)
    second = cluster.script(line(launch, job, out, "--resume"),
                            f"--nodelist={nodes[1]}", "--ntasks=2")
    print(f"second job refused after {second.wait_end(30):.1f} s: {second.text()}")
    assert second.status == 2
    told = [text for text in second.text().splitlines() if not text.startswith("srun: ")]
    assert len(told) == 1 and "being written by" in told[0] and nodes[0] in told[0], told
    first.wait_end(120)
    assert first.status == 0, first.text()
    assert is_complete(out) and differing(reference, out) == []


def test_srun_that_does_not_speak_to_the_mpi(cluster, whole):
    """Without --mpi=pmix each rank would believe that it is alone: nothing may be computed."""
    job, _ = whole
    out = cluster.folder / "out.h5"
    submitted = cluster.script(line("srun --mpi=none -K", job, out), "--nodes=2", "--ntasks=2")
    submitted.wait_end(60)
    assert submitted.status not in (0, 75) and not out.exists()
    assert "PMI" in submitted.text()
