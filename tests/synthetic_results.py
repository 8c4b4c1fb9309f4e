"""Result files with known numbers, written by the real writer; run as a script, on many ranks.

`write` serves every test that needs a result file; job and entries here are those of the tests of
the file itself. Entry (row, rig) has the response of a uniform field along z, M_par = 100 + row
and so on, plus random numbers from the entry's own seed: any process makes the same entry.

    python synthetic_results.py OUT.h5 JOB.toml [--mpi] [--hold]
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

from hpc_cr.config import parse_job
from hpc_cr.io import layout, provenance, schema
from hpc_cr.io.writer import ResultWriter
from hpc_cr.trajectories.directions import observer_positions

JOB = """
[run]
seed = 7
realisations = 6
[turbulence]
spectrum = "kolmogorov"
rms = "4 uG"
outer_scale = "100 pc"
[particles]
rigidities = ["1 PV", "10 PV"]
nside = 4
[boundary]
kind = "time"
times = ["15 pc", "30 pc", "60 pc"]
[gradient]
direction = [90, 0]
magnitude = "1e-4 / pc"
[output]
l_max = 4
"""

CASES = """
[[case]]
name = "isotropic"
set = { "output.displacement" = true }
[[case]]
name = "strong-field"
[case.set]
"regular.model" = "uniform"
"regular.strength" = "3.795 uG"
"regular.direction" = [0, 90]
"run.realisations" = 4
"""


def entry(job, row, rig):
    """All arrays and scalars of one entry of a case's job."""
    rng = np.random.default_rng([row, rig])
    size = schema.sizes(job)
    arrays = {}
    for spec, shape in schema.datasets(job):
        if spec.role == "data":
            values = rng.normal(size=shape[2:])
            if spec.dtype == "<c16":
                values = values + 1j * rng.normal(size=shape[2:])
            arrays[spec.name] = values
    stops = np.asarray(job.stops)[rig]
    response = np.zeros((size["stop"], 3, 3))
    response[:] = 4.0 * np.eye(3)
    response[:, 2, 2] = 100.0 + row + stops
    response[:, 0, 1], response[:, 1, 0] = -2.0, 2.0
    arrays["response"] = response
    arrays["response_error"] = np.full_like(response, 0.1)
    arrays["noise"] = np.broadcast_to(np.eye(3) * 0.03, response.shape)
    arrays["dipole"] = response @ np.asarray(job.gradient_vectors)[rig]
    scalars = {"unfinished": rig, "over_tolerance": 0, "steps": 2_000_000 + row}
    origin = (0, "host", 0.5 * row, 0.5 * row + 0.5)
    return arrays | scalars | {"seconds": 0.5, "rank": 0, "origin": origin}


def write(path, job, comm=None, *, entry=entry, finished=lambda n, row, rig: True):
    """Lay the file out and write the entries for which finished(number, row, rig)."""
    rank, ranks = (comm.rank, comm.size) if comm else (0, 1)
    facts = provenance.collect()
    if rank == 0:
        observers = {case.name: observer_positions(case.job) for case in job.cases}
        layout.create(path, job, provenance=facts, observers=observers)
    if comm:
        comm.Barrier()
    with ResultWriter(path, job, comm) as writer:
        slot = writer.record_start(facts, ranks=ranks, team_size=1) if rank == 0 else None
        if comm:
            comm.Barrier()  # a run counts what is finished after its start
        for n, (case, row, rig) in enumerate(entries(job)):
            if n % ranks == rank and writer.can_write and finished(n, row, rig):
                writer.write_entry(case.name, row, rig, entry(case.job, row, rig))
                # in one piece: two ranks write into the same pipe
                sys.stdout.write(f"{case.name} {row} {rig}\n")
                sys.stdout.flush()
        if comm:
            comm.Barrier()
        if rank == 0:
            complete = all(writer.done_flags(case.name).all() for case in job.cases)
            writer.record_end(slot, "complete" if complete else "stopped by SIGTERM")
    return path


def entries(job):
    """(case, row, rig) of all entries of a job."""
    for case in job.cases:
        size = schema.sizes(case.job)
        for row in range(size["row"]):
            for rig in range(size["rig"]):
                yield case, row, rig


def _write_for_ever(path, job, comm):
    """Write the entries round and round until the process is killed."""
    rank, ranks = (comm.rank, comm.size) if comm else (0, 1)
    if rank == 0:
        layout.create(path, job, provenance=provenance.collect())
    if comm:
        comm.Barrier()
    # not on stdout, where mpirun may mix the ranks' words
    path.with_name(f"pid-{rank}").write_text(f"{os.getpid()}\n")
    writer = ResultWriter(path, job, comm)
    mine = [e for n, e in enumerate(entries(job)) if n % ranks == rank]
    for case, row, rig in mine:
        writer.write_entry(case.name, row, rig, entry(case.job, row, rig))
        print(case.name, row, rig, flush=True)
        time.sleep(0.02)
    time.sleep(600)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("job", type=Path)
    parser.add_argument("--mpi", action="store_true")
    parser.add_argument("--hold", action="store_true", help="never close the file")
    options = parser.parse_args()
    comm = None
    if options.mpi:
        from mpi4py import MPI

        comm = MPI.COMM_WORLD
    job = parse_job(options.job.read_text(), name="synthetic")
    if options.hold:
        _write_for_ever(options.out, job, comm)
    write(options.out, job, comm)


if __name__ == "__main__":
    sys.exit(main())
