"""Signals and time limits as SLURM sends them: what is finished is kept, and the job goes on."""

import pytest
from mpi.launch import HPC_CR, done_entries

from .cluster import call
from .runs import (
    differing,
    is_complete,
    line,
    records,
    seconds_per_realisation,
    started,
    words,
)

pytestmark = pytest.mark.slurm


def test_usr1_to_the_steps(cluster, whole):
    """scancel --signal=USR1 reaches the ranks; another number of ranks and nodes resumes."""
    job, reference = whole
    out = cluster.folder / "out.h5"
    command = line("srun --mpi=pmix -K", job, out, "--resume")
    submitted = cluster.script(command, "--nodes=2", "--ntasks=2")
    started(submitted, out)
    submitted.signal("USR1")
    took = submitted.wait_end(20)
    assert submitted.status == 75, submitted.text()
    assert "stopped by SIGUSR1" in submitted.text() and took < 10
    assert 3 <= done_entries(out) < 48
    again = cluster.script(command, "--nodes=3", "--ntasks=4")
    again.wait_end(120)
    assert again.status == 0, again.text()
    assert is_complete(out) and differing(reference, out) == []
    assert [row["ranks"] for row in records(out)] == [2, 4]


@pytest.mark.parametrize("launch", ["srun", "mpirun"])
def test_usr1_to_the_batch_script(cluster, scripts, whole, monkeypatch, launch):
    """The shipped script hands it on, requeues its job, and that goes on to the end."""
    job, reference = whole
    out = cluster.folder / "out.h5"
    if launch == "mpirun":
        monkeypatch.setenv("HPC_CR_LAUNCH", "mpirun -q --bind-to none")
    submitted = cluster.sbatch("--nodes=2", scripts / "many-nodes.sbatch", *words(job, out))
    started(submitted, out)
    submitted.signal("USR1", "--batch")
    submitted.wait(lambda: submitted.restarts == 1, 30, "requeued")
    submitted.wait_end(120)
    assert submitted.status == 0, submitted.text()
    assert is_complete(out) and differing(reference, out) == []
    first, second = records(out)
    assert [row["job_id"] for row in (first, second)] == [submitted.number] * 2
    assert [row["restart"] for row in (first, second)] == [0, 1]
    assert "SIGUSR1" in first["state"] and first["entries"] >= 3
    assert first["entries"] + second["entries"] == 48, "something was computed twice"


def test_scancel(cluster, scripts, whole):
    """SIGTERM: a clean end, no requeue; a new job goes on."""
    job, reference = whole
    out = cluster.folder / "out.h5"
    asked = ["--nodes=2", scripts / "many-nodes.sbatch", *words(job, out)]
    submitted = cluster.sbatch(*asked)
    started(submitted, out)
    submitted.cancel()
    submitted.wait_end(30)
    assert submitted.state == "CANCELLED" and submitted.restarts == 0
    (row,) = records(out)
    assert "SIGTERM" in row["state"] and 3 <= row["entries"] == done_entries(out) < 48
    again = cluster.sbatch(*asked)
    again.wait_end(120)
    assert again.status == 0, again.text()
    assert is_complete(out) and differing(reference, out) == []


def test_time_limit(cluster, scripts, whole):
    """With --signal a job comes back until it is complete; without, it ends, nothing is lost.

    SLURM looks at the time limits every half minute: with a limit of a minute the signal comes 29
    to 59 s after the start, the end after 60 to 90 s. Both jobs run side by side, a core each.
    """
    job, reference = whole
    out, endless = cluster.folder / "out.h5", cluster.folder / "endless.h5"
    realisations = max(20, int(75 / seconds_per_realisation(reference)))   # of a core: 75 s
    back = cluster.sbatch("--nodes=1", "--ntasks=1", "--time=1", "--signal=B:USR1@1",
                          scripts / "single-node.sbatch",
                          *words(job, out, realisations=realisations))
    cut = cluster.script(line("srun --mpi=pmix -K", job, endless, realisations=5000),
                         "--ntasks=1", "--time=1")
    back.wait(lambda: back.restarts > 0, 90, "requeued")
    cut.wait_end(120)
    assert cut.state == "TIMEOUT"
    (row,) = records(endless)
    assert "SIGTERM" in row["state"] and row["entries"] == done_entries(endless) > 3
    assert differing(reference, endless) == []
    back.wait_end(400)
    assert back.status == 0, back.text()
    assert is_complete(out, realisations) and differing(reference, out) == []
    rows = records(out)
    assert [row["restart"] for row in rows] == list(range(len(rows))) and len(rows) > 1
    assert sum(row["entries"] for row in rows) == 4 * realisations, "something was done twice"
    call(*HPC_CR, "check", out)
