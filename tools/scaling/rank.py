"""What one rank measures: run by mpirun as `python -m tools.scaling.rank WHAT ...`.

Rank 0 prints one line of JSON.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROUNDS, BATCH = 20, 100
"""Repeats, and messages or entries in each."""


def main(what, *arguments):
    from mpi4py import MPI

    measure = {"messages": messages, "writes": writes, "queue": queue}[what]
    found = measure(MPI.COMM_WORLD, *arguments)
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(found), flush=True)


def messages(comm):
    """Seconds of one request and of one report on rank 0, and of a message on its way (2 ranks)."""
    from hpc_cr.parallel import distribution
    from hpc_cr.parallel.distribution import TAG_REQUEST, TAG_TASK, Distribution
    from hpc_cr.parallel.signals import StopSignals

    taken = []
    task = (0, 0, ((0, 0), (0, 1), (0, 2)), 1e9)  # as large as a real one
    signals = StopSignals()
    server = Distribution(comm, 2, signals, [task] * BATCH * (ROUNDS + 1), taken.append)
    found = {}
    for _ in range(ROUNDS):
        for name in ("request", "report"):
            if comm.rank == 1:
                for _ in range(BATCH):
                    if name == "request":
                        comm.send(1, dest=0, tag=TAG_REQUEST)
                    else:
                        server.report(("name", 0, 0, {"steps": 1}, 1e9))
            comm.Barrier()
            time.sleep(0.02)
            began = time.perf_counter()
            # one look may find only some of the messages
            before = len(taken) - len(server._tasks)
            while comm.rank == 0 and len(taken) - len(server._tasks) < before + BATCH:
                server.poll()
            seconds = (time.perf_counter() - began) / BATCH
            # the least: whatever else the machine does only adds to it
            if comm.rank == 0:
                found[name] = min(found.get(name, np.inf), seconds)
            comm.Barrier()
            if comm.rank == 1 and name == "request":
                for _ in range(BATCH):
                    comm.recv(source=0, tag=TAG_TASK)
    # there and back without naps: two messages and one service
    distribution.NAP_SECONDS = 0.0
    trips = []
    comm.Barrier()
    if comm.rank == 1:
        for _ in range(BATCH):
            began = time.perf_counter()
            comm.send(1, dest=0, tag=TAG_REQUEST)
            comm.recv(source=0, tag=TAG_TASK)
            trips.append(time.perf_counter() - began)
        comm.send(None, dest=0, tag=99)
    else:
        while not comm.Iprobe(source=1, tag=99):
            server.poll()
        comm.recv(source=1, tag=99)
    trips = comm.bcast(trips, root=1)
    if comm.rank == 0:
        found["latency"] = max((min(trips) - found["request"]) / 2, 0.0)
    return found


def writes(comm, job_file):
    """Seconds of one entry's write while all ranks write, through the real writer."""
    from hpc_cr.config import load_job
    from hpc_cr.io import layout, provenance, schema
    from hpc_cr.io.writer import ResultWriter

    job = load_job(Path(job_file), ["run.realisations=64"])
    case = job.cases[0]
    folder = comm.bcast(tempfile.mkdtemp(dir=".") if comm.rank == 0 else None, root=0)
    path = Path(folder) / "writes.h5"
    if comm.rank == 0:
        layout.create(path, job, provenance=provenance.collect())
    comm.Barrier()
    entry = {spec.name: np.zeros(shape[2:], spec.dtype)
             for spec, shape in schema.datasets(case.job) if spec.role in ("data", "status")}
    seconds = []
    with ResultWriter(path, job, comm=comm) as writer:
        for number in range(BATCH):
            comm.Barrier()
            began = time.perf_counter()
            writer.write_entry(case.name, (comm.rank + number * comm.size) % case.job.n_row, 0,
                               entry)
            seconds.append(time.perf_counter() - began)
    every = comm.allgather(seconds)
    if comm.rank == 0:
        path.unlink()
        path.parent.rmdir()
    return {"ranks": comm.size, "seconds": float(np.median(every)),
            "datasets": len(entry), "bytes": int(sum(array.nbytes for array in entry.values()))}


def queue(comm, tasks, seconds, spread, call, serve_only):
    """Tasks that sleep instead of computing, through the real distribution.

    Sleeping ranks need no core each: the queue of many ranks can be had on few cores.
    """
    from hpc_cr.parallel.distribution import Distribution
    from hpc_cr.parallel.signals import StopSignals

    tasks, seconds, spread, call = int(tasks), float(seconds), float(spread), float(call)
    serve_only = serve_only == "1"
    rng = np.random.default_rng(1)
    sigma = np.sqrt(np.log1p(spread**2))
    lengths = np.sort(seconds * rng.lognormal(-sigma**2 / 2, sigma, tasks))[::-1]
    distribution = Distribution(comm, comm.size, StopSignals(), lengths.tolist(),
                                lambda report: None)
    comm.Barrier()
    began = time.perf_counter()
    waited = 0.0
    while not (serve_only and comm.rank == 0):
        asked = time.perf_counter()
        length = distribution.next_task()
        waited += time.perf_counter() - asked
        if length is None:
            break
        ends = time.perf_counter() + length
        while (left := ends - time.perf_counter()) > 0:
            time.sleep(min(call, left))
            distribution.poll()
        distribution.report(("", 0, 0, {"steps": 1}, length))
    distribution.finish()
    wall = time.perf_counter() - began
    return {"ranks": comm.size, "seconds": wall, "lengths": lengths.tolist(),
            "waited": comm.allgather(waited)}


if __name__ == "__main__":
    main(*sys.argv[1:])
