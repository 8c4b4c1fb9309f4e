"""What `hpc-cr plan` predicts against what the run takes: `python -m tools.bench.plan_check`.

Without arguments the shipped jobs: the quickstart as it is on 1 and 2 ranks, the others with as
few realisations and pixels as make them end within minutes. The kernels are compiled beforehand.
"""

import os
import sys
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import click  # noqa: E402

SMALL = {
    "jobs/quickstart.toml": ((1, ()), (2, ())),
    "jobs/giacinti_sigl2012.toml": ((2, ("run.realisations=2", "particles.nside=32")),),
    "jobs/mertsch_funk2015.toml": (
        (2, ("run.realisations=1", "particles.nside=2", "output.l_max=4",
             'particles.rigidities=["100 TV", "1 PV"]', 'gradient.scale_length="12 kpc"')),),
}
"""Job -> (ranks, settings) of each run."""


def predict(path, ranks, overrides):
    """(seconds, core-seconds, Memory) as `hpc-cr plan` predicts them; to be run by itself."""
    from hpc_cr.campaigns import planning
    from hpc_cr.campaigns.warm_up import load_kernels
    from hpc_cr.config import load_job

    job = load_job(path, overrides)
    load_kernels(job)
    watch = planning.MemoryWatch(job)
    costs = [planning.measure(case.job) for case in job.cases]
    return (planning.wall_seconds(job, costs, ranks), planning.core_seconds(job, costs),
            watch.needs(job, ranks))


@click.command()
@click.argument("jobs", nargs=-1, type=click.Choice(list(SMALL)))
@click.option("--prediction", hidden=True, nargs=2)
def command(jobs, prediction):
    """Compare predictions and runs of the shipped JOBS (default: all)."""
    import json
    import subprocess

    from rich.console import Console
    from rich.table import Table

    from tools.bench.launch import ROOT, launch

    if prediction:
        ranks, overrides = prediction
        print(json.dumps(predict(jobs[0], int(ranks), json.loads(overrides))))
        return
    columns = ("job", "ranks", "wall [s]", "plan/run", "CPU of a rank [s]", "plan/run",
               "rank [MiB]", "plan/run", "all ranks [MiB]", "plan/run")
    table = Table(*columns, title_justify="left", title=(
        "Taken by the run, and the plan's prediction over it. On a busy machine the wall time"
        " says little: the CPU time of a rank is what can be predicted."))
    with Console(stderr=True).status("") as status:
        for path in jobs or SMALL:
            for ranks, overrides in SMALL[path]:
                status.update(f"{path} on {ranks} ranks: prediction")
                done = subprocess.run(
                    [sys.executable, "-m", "tools.bench.plan_check", path, "--prediction",
                     str(ranks), json.dumps(overrides)], cwd=ROOT, capture_output=True, text=True,
                    check=True)
                wall, _, (rank, node) = json.loads(done.stdout)
                status.update(f"{path} on {ranks} ranks: run")
                taken = launch(path, ranks, overrides)
                rank, node = rank / 2**20, node / 2**20
                table.add_row(" ".join([Path(path).stem, *overrides]), str(ranks),
                              f"{taken.whole:.1f}",
                              f"{wall / taken.whole:.2f}", f"{taken.processor:.1f}",
                              f"{wall / taken.processor:.2f}",
                              f"{taken.peak_rank:.0f}", f"{rank / taken.peak_rank:.2f}",
                              f"{taken.peak_node:.0f}", f"{node / taken.peak_node:.2f}")
    Console().print(table)


if __name__ == "__main__":
    command(prog_name="python -m tools.bench.plan_check")
