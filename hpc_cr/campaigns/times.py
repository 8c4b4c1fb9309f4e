"""Where the time of the ranks went: seconds by activity, for scaling studies.

The environment variable HPC_CR_TIMES names a JSON file that rank 0 writes at the end of a run.
"""

import json
import os
import time
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "HPC_CR_TIMES"
ACTIVITIES = ("wait", "compute", "write", "end")
"""Waiting for a task; fields, trajectories and skies; writing entries; waiting for the last."""


class Times:
    """Seconds that this rank spent on each of `ACTIVITIES`, and since it was made."""

    def __init__(self):
        self._began = time.perf_counter()
        self._seconds = dict.fromkeys(ACTIVITIES, 0.0)

    @contextmanager
    def of(self, activity):
        """Count the time inside for an activity."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[activity] += time.perf_counter() - began

    def save(self, comm, team):
        """Write the leaders' seconds if the user asks for them; collective over `comm`."""
        wall = time.perf_counter() - self._began
        # not every launcher hands the environment on to other nodes: rank 0's counts
        path = comm.bcast(os.environ.get(VARIABLE), root=0)
        if not path:
            return
        mine = [self._seconds[name] for name in ACTIVITIES] if team.leader else None
        leaders = [seconds for seconds in comm.allgather(mine) if seconds is not None]
        if comm.rank == 0:
            found = {"ranks": comm.size, "teams": len(leaders), "seconds": wall}
            found |= {name: list(column)
                      for name, column in zip(ACTIVITIES, zip(*leaders, strict=True), strict=True)}
            try:
                Path(path).write_text(json.dumps(found) + "\n")
            except OSError as error:
                print(f"hpc-cr: {VARIABLE}: {path}: {os.strerror(error.errno)}", flush=True)
