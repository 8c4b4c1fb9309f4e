"""Where the time of the ranks goes: seconds by activity, for the run record and scaling studies.

The environment variable HPC_CR_TIMES names a JSON file that rank 0 writes at the end of a run.
"""

import json
import os
import time
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "HPC_CR_TIMES"
RECORDED = ("synthesis", "tracking", "measuring", "writing", "waiting")
"""Fields of a run record with core-seconds summed over the ranks."""
ACTIVITIES = (*RECORDED, "end")
"""Making fields; trajectories; skies; writing entries; waiting for a task or for the team; waiting
for the last rank."""


class Times:
    """Seconds that this rank spent on each of `ACTIVITIES`.

    Attributes
    ----------
    totals : dict of str to float
        Core-seconds of all ranks in the fields of a run record, once they were gathered; there the
        wait for the last rank is waiting, too.
    """

    def __init__(self):
        self._began = time.perf_counter()
        self._seconds = dict.fromkeys(ACTIVITIES, 0.0)
        self._inside = []
        self.totals = {}

    @property
    def elapsed(self):
        """Seconds since it was made."""
        return time.perf_counter() - self._began

    @contextmanager
    def of(self, activity):
        """Count the time inside for an activity, less what is counted for another one inside."""
        began = time.perf_counter()
        self._inside.append(0.0)
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            self._seconds[activity] += spent - self._inside.pop()
            if self._inside:
                self._inside[-1] += spent

    def gather(self, comm, team):
        """Sum up over the ranks, on rank 0, and write the leaders' seconds if the user asks for
        them; collective over `comm`."""
        wall = self.elapsed
        mine = [self._seconds[name] for name in ACTIVITIES]
        everyone = comm.gather((team.leader, mine), root=0)
        if comm.rank != 0:
            return
        columns = zip(*(seconds for _, seconds in everyone), strict=True)
        self.totals = {name: sum(c) for name, c in zip(ACTIVITIES, columns, strict=True)}
        self.totals["waiting"] += self.totals.pop("end")
        if path := os.environ.get(VARIABLE):
            leaders = [seconds for leader, seconds in everyone if leader]
            found = {"ranks": comm.size, "teams": len(leaders), "seconds": wall}
            found |= {name: list(column)
                      for name, column in zip(ACTIVITIES, zip(*leaders, strict=True), strict=True)}
            try:
                Path(path).write_text(json.dumps(found) + "\n")
            except OSError as error:
                print(f"hpc-cr: {VARIABLE}: {path}: {os.strerror(error.errno)}", flush=True)
