"""Whole commands under mpirun, timed and with their memory watched from outside."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
LOOK_SECONDS = 0.1
"""Pause between two looks at the memory."""


class Launch(NamedTuple):
    """What a run took."""

    whole: float  # s, from the start of mpirun to its end
    startup: float  # s, to the first kernel call, of the last rank to get there
    tracking: float  # s, from the first task given out to the last entry
    busy: float  # core-seconds of tracking that the file's records add up to
    processor: float  # s, mean over the ranks: on a busy machine less than the whole time
    steps: int  # particle-steps
    peak_rank: float  # MiB, largest resident set of a rank, shared pages included
    peak_node: float  # MiB, largest sum of them over the ranks


def launch(job, ranks, overrides=(), seconds=None, tick=lambda: None):
    """Run a job with `hpc-cr run` into a scratch file.

    Parameters
    ----------
    job : str
        Job file, from the root of the checkout.
    ranks : int
    overrides : sequence of str
        For --set.
    seconds : float, optional
        Stop it after this long: enough for its memory; the times are then NaN.
    tick : callable
        Called now and then.

    Returns
    -------
    Launch

    Raises
    ------
    RuntimeError
        The run failed.
    """
    with TemporaryDirectory(prefix="hpc_cr-bench-") as folder:
        result = Path(folder) / "result.h5"
        command = ["tools/mpirun.sh", str(ranks), sys.executable, "-m", "tools.bench.launched",
                   folder, "run", job, "-o", str(result), "--quiet"]
        for override in overrides:
            command += ["--set", override]
        began = time.time()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        peaks = _watch(process, Path(folder), began, seconds, tick)
        whole, output = time.time() - began, process.stdout.read()
        process.stdout.close()
        if seconds is not None and whole >= seconds:
            return Launch(*[float("nan")] * 5, 0, *peaks)
        if process.returncode:
            last = " ".join(output.strip().splitlines()[-1:])
            raise RuntimeError(f"{job} on {ranks} ranks failed: {last}")
        stamps = [json.loads(path.read_text()) for path in Path(folder).glob("*.json")]
        first = [s["first_kernel_call"] for s in stamps if "first_kernel_call" in s]
        tracking = next(s["end"] - s["begin"] for s in stamps if "begin" in s)
        busy, steps = _records(result)
        processor = sum(s["processor_seconds"] for s in stamps) / ranks
        return Launch(whole, max(first) - began, tracking, busy, processor, steps, *peaks)


def _watch(process, folder, began, limit, tick):
    """Peaks of one rank's and of all ranks' memory, MiB, until the process ends."""
    one = all_ranks = 0.0
    while process.poll() is None:
        pids = [int(path.stem) for path in folder.glob("*.json")]
        sizes = [resident_mib(pid) for pid in pids]
        one = max([one, *(resident for resident, _ in sizes)])
        all_ranks = max(all_ranks, sum(proportional for _, proportional in sizes))
        tick()
        if limit is not None and time.time() - began >= limit:
            for pid in pids:
                os.kill(pid, 10)  # SIGUSR1: a clean stop
            limit = None
        time.sleep(LOOK_SECONDS)
    return one, all_ranks


def resident_mib(pid):
    """Resident and proportional set size of a process in MiB; 0, 0 if it is gone.

    In the proportional one each shared page is divided by the number of its users.
    """
    found = {"Rss:": 0.0, "Pss:": 0.0}
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            key = line.split()[0]
            if key in found:
                found[key] = int(line.split()[1]) / 1024
    except OSError:
        pass
    return tuple(found.values())


def _records(path):
    """Core-seconds of tracking and particle-steps in a result file, over all cases."""
    with h5py.File(path, "r") as file:
        groups = [group["status"] for group in file["case"].values()] if "case" in file else [
            file["status"]]
        return (float(sum(np.nansum(group["seconds"][...]) for group in groups)),
                int(sum(group["steps"][...].sum() for group in groups)))
