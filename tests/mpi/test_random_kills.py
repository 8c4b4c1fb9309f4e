"""SIGKILL at random moments, again and again: what a file calls finished stays exact.

One life of a job: it starts, is killed, is resumed on other ranks, is killed, ... until it is let
through. A kill hits one rank, rank 0, mpirun or everything; it comes after a random time, or a
few milliseconds after the file begins to be laid out, appears, or gains an entry, since these
are short and a uniformly random moment seldom meets them. The victims and times come from a
seeded generator (what they meet depends on the machine).

HPC_CR_KILLS = how many kills in the slow test, HPC_CR_KILLS_SEED = the generator's seed.
"""

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hpc_cr import open_results
from hpc_cr.io.verify import verify

from .launch import HPC_CR, JOB, differing, mpirun, run_job, start

pytestmark = pytest.mark.mpi

SMALL = ["--set", "run.realisations=8", "--set", "particles.nside=8",
         "--set", "output.final_direction=true", "--set", "output.l_max=12",
         "--set", "integrator.steps_per_gyroradius=2000"]
"""32 entries of 70 kB, about 2 core-seconds: entries are written all the time."""

MARK = "HPC_CR_KILLS_MARK"
"""Environment variable by which every process of a start is found, orphans included."""

VICTIMS = ("one rank", "rank 0", "mpirun", "everything")
MOMENTS = ("any time", "layout", "file appears", "entry written", "entry written")
PATIENCE_SECONDS = 20.0

SERIAL = ("import types, h5py\n"
          "h5py.get_config = lambda: types.SimpleNamespace(mpi=False)\n"
          "from hpc_cr.cli.main import main\n"
          "main()\n")


def processes(mark):
    """Numbers of all living processes that carry a mark; zombies are not alive."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            pass  # ended meanwhile
    return found


def ranks(mark):
    """Process numbers by rank of a start, as far as they live."""
    found = {}
    for number in processes(mark):
        try:
            words = Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        rank = [word.partition(b"=")[2] for word in words
                if word.startswith(b"OMPI_COMM_WORLD_RANK=")]
        if rank:
            found[int(rank[0])] = number
    return found


def kill(process, victim, mark, rng):
    """Kill a victim; the name of who was killed in the end, None where all had ended."""
    alive = ranks(mark)
    if victim == "one rank" and alive:
        rank = int(rng.choice(list(alive)))
        numbers = [alive[rank]]
    elif victim == "rank 0" and 0 in alive:
        numbers = [alive[0]]
    elif victim == "everything":
        numbers = processes(mark)
    else:
        # before the ranks are there
        victim, numbers = "mpirun", [process.pid]
    for number in numbers:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            return None
    return victim


class Flags:
    """The done flags of a file that another process writes, read without HDF5's overhead."""

    def __init__(self, path):
        import h5py

        self.path, self.places = path, []
        try:
            with h5py.File(path, "r", locking=False) as file:
                for case in file["case"].values():
                    flags = case["status/done"]
                    self.places.append((flags.id.get_offset(), flags.size))
        except OSError:
            pass  # not there yet

    def count(self):
        with open(self.path, "rb") as file:
            return sum(sum(os.pread(file.fileno(), size, offset)) for offset, size in self.places)


def await_moment(moment, process, out, rng, length):
    """Sleep until a random moment of a kind, or until the process ends.

    length is how long a run lasts, s.
    """
    if moment == "any time" or (out.exists() and moment != "entry written"):
        reached, delay = (lambda: True), rng.uniform(0, length)
    elif moment == "layout":
        reached, delay = (lambda: any(out.parent.glob(".*.partial"))), rng.uniform(0, 0.005)
    elif moment == "file appears":
        reached, delay = out.exists, rng.uniform(0, 0.2)
    else:
        flags = []

        def reached():
            if not flags and out.exists():
                flags.append(Flags(out))
                flags.append(flags[0].count() + rng.integers(1, 8))
            return bool(flags) and flags[0].count() >= flags[1]

        delay = rng.uniform(0, 0.01)
    while not reached() and process.poll() is None:
        time.sleep(0.0005)
    end = time.monotonic() + delay
    while time.monotonic() < end and process.poll() is None:
        time.sleep(min(0.001, delay))


def wait_for_the_end(process, mark):
    """Seconds until nothing of a start lives any more, and what it wrote."""
    began = time.monotonic()
    output = process.communicate(timeout=PATIENCE_SECONDS)
    while left := processes(mark):
        assert time.monotonic() - began < PATIENCE_SECONDS, f"processes {left} outlive their job"
        time.sleep(0.01)
    return time.monotonic() - began, "".join(output)


def entries(path):
    """Every finished entry as bytes, by (case, row, rig)."""
    found = {}
    with open_results(path) as results:
        assert all(entry.whole for entry in verify(results))
        for case in results.each_case():
            names = [f"anisotropy/{name}" for name in
                     ("response", "response_error", "direction_response", "noise", "dipole",
                      "alm", "alm_half", "displacement", "final_direction")]
            names += [f"status/{name}" for name in
                      ("unfinished", "over_tolerance", "steps", "checksum")]
            arrays = [case.array(name) for name in names]
            for row, rig in np.argwhere(case.done).tolist():
                found[case.case, row, rig] = b"".join(a[row, rig].tobytes() for a in arrays)
    return found


class Lives:
    """A job that is killed again and again, and what was found."""

    def __init__(self, folder, seed):
        self.folder, self.seed = folder, seed
        self.rng = np.random.default_rng(seed)
        self.job = folder / "small.toml"
        self.job.write_text(JOB)
        self.serial = folder / "serial.py"
        self.serial.write_text(SERIAL)
        began = time.monotonic()
        self.complete = run_job(self.job, folder / "whole.h5", *SMALL)
        self.length = time.monotonic() - began
        self.reference = entries(self.complete)
        self.nest = folder / "nest"
        self.nest.mkdir()
        self.out = self.nest / "out.h5"
        self.shm = folder / "shm"
        self.shm.mkdir()
        self.kills, self.moments = Counter(), Counter()
        self.checked, self.lives, self.starts, self.slowest = 0, 0, 0, 0.0

    def command(self):
        rng = self.rng
        n_ranks = int(rng.integers(1, 5))
        team = int(rng.integers(1, n_ranks + 1))
        program = HPC_CR if rng.random() < 0.8 else [sys.executable, "-u", str(self.serial)]
        return [*mpirun(n_ranks), *program, "run", self.job, "-o", self.out, *SMALL, "--resume",
                "--quiet", "--set", f"parallel.team_size={team}"]

    def start_and_kill(self):
        """One start, killed if it lives long enough; whether it ended by itself."""
        self.starts += 1
        mark = f"{os.getpid()}.{self.starts}"
        victim, moment = str(self.rng.choice(VICTIMS)), str(self.rng.choice(MOMENTS))
        if not self.checked:
            moment = "entry written"  # few kills, too, are to leave something to compare
        # Open MPI leaves files of killed ranks behind: not in the machine's own /dev/shm
        process = start(self.command(), env={
            **os.environ, MARK: mark, "OMPI_MCA_btl_vader_backing_directory": str(self.shm)})
        await_moment(moment, process, self.out, self.rng, self.length)
        killed = kill(process, victim, mark, self.rng) if process.poll() is None else None
        seconds, output = wait_for_the_end(process, mark)
        story = f"seed {self.seed}, start {self.starts}: {victim}, {moment}: {output}"
        assert "being written by" not in output, story
        if killed is None or process.returncode == 0:
            assert process.returncode == 0, story
            return True
        self.kills[killed] += 1
        self.moments[moment] += 1
        self.slowest = max(self.slowest, seconds)
        if self.out.exists():
            found = entries(self.out)
            wrong = [name for name, data in found.items() if self.reference[name] != data]
            assert wrong == [], story
            self.checked += len(found)
        return False

    def live(self, most):
        """One life with up to `most` kills, and its end."""
        self.lives += 1
        limit = min(most, int(self.rng.integers(3, 9)))
        for _ in range(limit):
            if self.start_and_kill():
                break
        run_job(self.job, self.out, *SMALL, "--resume", ranks=2)
        assert differing(self.complete, self.out) == []
        assert sorted(p.name for p in self.nest.iterdir()) == ["out.h5"], "something was left"
        with open_results(self.out) as results:
            # killed: after its last entry, before it could note its own end
            assert {run["state"] for run in results.runs} <= {"complete", "killed"}
        self.out.unlink()

    def go(self, n_kills):
        """Lives until there were so many kills; what was found is printed after each (-s)."""
        while (missing := n_kills - self.kills.total()) > 0:
            self.live(missing)
            print(self.found(), flush=True)
        assert self.checked > 0, self.found()

    def found(self):
        return (f"seed {self.seed}: {self.kills.total()} kills in {self.starts} starts and"
                f" {self.lives} lives; victims {dict(self.kills)}; moments {dict(self.moments)};"
                f" {self.checked} finished entries compared; a killed job was gone after"
                f" {self.slowest:.1f} s at most")


SEED = int(os.environ.get("HPC_CR_KILLS_SEED", "20261121"))


@pytest.mark.slow
def test_a_few_random_kills(tmp_path):
    Lives(tmp_path, SEED).go(3)


@pytest.mark.slow
def test_random_kills(tmp_path):
    lives = Lives(tmp_path, SEED + 1)
    lives.go(int(os.environ.get("HPC_CR_KILLS", "200")))
    if lives.kills.total() >= 100:
        assert set(lives.kills) == set(VICTIMS)
