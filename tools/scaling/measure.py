"""What the simulation needs to know, measured on this machine."""

import json
import subprocess
import sys

from tools.scaling.simulate import Costs
from tools.scaling.study import MPIRUN, ROOT, StudyError


def by_ranks(ranks, *words):
    """The JSON that `tools.scaling.rank` prints on so many ranks."""
    done = subprocess.run([str(MPIRUN), str(ranks), sys.executable, "-m", "tools.scaling.rank",
                           *(str(word) for word in words)], capture_output=True, text=True,
                          cwd=ROOT)
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise StudyError(f"mpirun of {words[0]} on {ranks} ranks failed: {reason}")
    return json.loads(lines[-1])


def machine(job_file):
    """Costs of messages and of writes: dict for JSON.

    Keys: request, report, latency (s, on two ranks of this machine), nap (s), call (s); write (s,
    an entry written by one rank), write_shared (s, an upper bound of the part that the file does
    one at a time, from two ranks that write at once), datasets and bytes of an entry.
    """
    from hpc_cr.parallel.communicator import NAP_SECONDS
    from hpc_cr.trajectories.backtrack import CALL_SECONDS

    found = by_ranks(2, "messages")
    one, two = (by_ranks(ranks, "writes", job_file) for ranks in (1, 2))
    return {**found, "nap": NAP_SECONDS, "call": CALL_SECONDS, "write": one["seconds"],
            "write_shared": min(two["seconds"] / 2, one["seconds"]),
            "datasets": one["datasets"], "bytes": one["bytes"]}


def of_job(job):
    """Processor times of one case of a job, from a short measurement: dict for JSON.

    Keys: entries (core-seconds of tracking by rigidity), synthesis (s of one realisation on one
    core), sky (s of an entry's measurement).
    """
    from hpc_cr.campaigns.planning import measure
    from hpc_cr.campaigns.warm_up import load_kernels
    from hpc_cr.fields.nested import make_field

    load_kernels(job)
    make_field(job, 0)  # the first one of a process takes longer
    cost = measure(job)
    return {"entries": (cost.steps * cost.step_seconds).tolist(),
            "synthesis": cost.synthesis_seconds, "sky": cost.measuring_seconds}


def costs(found, job, network=None, disk=None):
    """`Costs` from `machine` and `of_job`, with assumptions about a cluster put in.

    Parameters
    ----------
    found, job : dict
    network : float, optional
        Latency of a message in s where it is not this machine's memory.
    disk : (float, float, float), optional
        A parallel file system: seconds of one small write, small writes per second and bytes per
        second of all ranks together.
    """
    write, shared = found["write"], found["write_shared"]
    if disk is not None:
        latency, rate, bandwidth = disk
        write += found["datasets"] * latency
        shared = found["datasets"] / rate + found["bytes"] / bandwidth
    return Costs(max(found["latency"], network or 0.0), found["request"], found["report"],
                 found["nap"], found["call"], job["synthesis"], sky=job["sky"], write=write,
                 write_shared=shared)


def spread_of(path):
    """How much the entries of a result file differ among realisations.

    Returns
    -------
    steps, seconds : float
        Relative standard deviations of particle-steps (the fields' doing) and of core-seconds
        (with what the machine adds), the largest of all cases and rigidities.
    """
    import numpy as np

    import hpc_cr

    most = [0.0, 0.0]
    with hpc_cr.open_results(path) as results:
        for case in results.each_case():
            for number, values in enumerate((case.steps, case.seconds)):
                for rig in range(values.shape[1]):
                    mine = values[case.done[:, rig], rig]
                    if len(mine) > 1:
                        most[number] = max(most[number],
                                           float(np.std(mine, ddof=1) / np.mean(mine)))
    return tuple(most)
