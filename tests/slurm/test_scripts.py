"""Arrays, submission and the scaling study, from the command that a user types to the result."""

import json
import re
import sys

import pytest
from mpi.launch import HPC_CR

from .cluster import ROOT, call
from .runs import differing, is_complete, records, started, words

pytestmark = pytest.mark.slurm

BLOCKS = 3


def test_array_and_merge(cluster, scripts, whole):
    """Three blocks on three nodes; the merged file equals a single run's, bit for bit.

    The last task, whose job number is that of the whole array, is interrupted and requeued.
    """
    job, reference = whole
    out = cluster.folder / "out.h5"
    pieces = [f"out-{i + 1}of{BLOCKS}.h5" for i in range(BLOCKS)]
    array = cluster.sbatch(f"--array=0-{BLOCKS - 1}", scripts / "array.sbatch", *words(job, out))
    merge = cluster.sbatch(f"--dependency=afterok:{array.number}", scripts / "merge.sbatch",
                           "-o", out, *pieces)
    last = cluster.watch(f"{array.number}_{BLOCKS - 1}", array.log)
    started(last, cluster.folder / pieces[-1], entries=1)
    last.signal("USR1", "--batch")
    array.wait_end(240)
    assert array.status == 0, array.text()
    merge.wait_end(60)
    assert merge.status == 0, merge.text()
    assert is_complete(out) and differing(reference, out) == []
    rows = records(out)
    assert [row["piece"] for row in rows] == [*pieces, pieces[-1]]
    assert [row["array_task"] for row in rows] == ["0", "1", "2", "2"]
    assert [row["restart"] for row in rows] == [0, 0, 0, 1]
    assert len({row["host"] for row in rows}) > 1, "all blocks ran on one node"


def submit(cluster, job, *more):
    """`hpc-cr submit` in the cluster's folder; the jobs that it tells of."""
    told = call(*HPC_CR, "submit", job, *words(job, "out.h5")[1:], *more, cwd=cluster.folder,
                timeout=120)
    print(told)
    numbers = re.findall(r"job (\d+) submitted", told)
    assert numbers, told
    # %j is the job's name
    return [cluster.watch(number, cluster.folder / f"{job.stem}-{number}.log")
            for number in numbers]


def test_submit(cluster, whole):
    job, reference = whole
    (submitted,) = submit(cluster, job, "--nodes", 2)
    submitted.wait_end(120)
    assert submitted.status == 0, submitted.text()
    out = cluster.folder / "out.h5"
    assert is_complete(out) and differing(reference, out) == []
    (row,) = records(out)
    assert (row["nodes"], row["ranks"]) == (2, 4), "not a rank on every core"


def test_submit_array(cluster, whole):
    job, reference = whole
    array, merge = submit(cluster, job, "--array", 2, "--tasks-per-node", 1)
    merge.wait_end(240)
    assert merge.status == 0, merge.text()
    out = cluster.folder / "out.h5"
    assert is_complete(out) and differing(reference, out) == []
    assert {row["job_id"] for row in records(out)} >= {array.number}


def test_scaling_study(cluster, whole):
    """Each point a job of its own; the figures of all come together with --collect."""
    job, _ = whole
    table = cluster.folder / "scaling.json"
    study = [sys.executable, "-m", "tools.scaling", "run", "--job", job, "--ranks", "1,4",
             "--teams", "1", "--kind", "strong", "--realisations", "6", "--repeats", "1",
             "-o", table]
    told = call(*study, "--submit", "--sbatch", "--time=5", cwd=ROOT, timeout=120)
    submitted = [cluster.watch(number, log) for number, log in zip(
        re.findall(r"Submitted batch job (\d+)", told),
        [table.with_suffix("") / f"ranks{n}-team1-realisations6-0.log" for n in (1, 4)],
        strict=True)]
    for point in submitted:
        point.wait_end(180)
        assert point.status == 0, point.text()
    print(call(*study, "--collect", cwd=ROOT, timeout=120))
    runs = json.loads(table.read_text())["records"]
    assert [run["ranks"] for run in runs] == [1, 4]
    assert all(0 < run["tracking_seconds"] < run["command_seconds"] for run in runs)
