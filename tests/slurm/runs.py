"""The job that the tests run, its command line, and what its result file tells."""

import h5py
import numpy as np
from mpi.launch import HPC_CR, done_entries

SETTINGS = ["--set", "integrator.steps_per_gyroradius=50000"]
"""An entry takes an eighth of a second: long enough for signals that SLURM delivers."""
FEW = 12
"""Realisations of the reference and of most runs: 48 entries."""


def words(job, out, *more, realisations=FEW):
    """Words after `hpc-cr run`, for the job with so many realisations."""
    return [job, "-o", out, "--set", f"run.realisations={realisations}", *SETTINGS, *more]


def line(launch, job, out, *more, **options):
    """A line of shell script that runs the job."""
    parts = [launch, *HPC_CR, "run", *words(job, out, "--quiet", *more, **options)]
    return " ".join(map(str, parts))


def started(submitted, out, entries=3):
    """Wait until a job has finished some entries."""
    submitted.wait(lambda: done_entries(out) >= entries, 90, "making progress")


def records(out):
    """The used rows of /provenance/runs, as text and numbers by name."""
    with h5py.File(out, "r") as file:
        rows = file["provenance/runs"][...]
    return [{name: row[name].decode() if rows.dtype[name].kind == "S" else row[name].item()
             for name in rows.dtype.names} for row in rows if row["started"]]


def origins(out):
    """Of each finished entry: name of the host and number of the rank that wrote it."""
    with h5py.File(out, "r") as file:
        found = [(host.decode(), rank) for group in file["case"].values()
                 for host, rank, done in zip(group["status/origin"]["host"].ravel(),
                                             group["status/rank"][...].ravel(),
                                             group["status/done"][...].ravel(), strict=True)
                 if done]
    return found


def differing(reference, out):
    """Numerical datasets in which the finished entries of a result differ from the reference's.

    Bit for bit. Of a job with more realisations than the reference, the first are compared.
    """
    found = []
    with h5py.File(reference, "r") as whole, h5py.File(out, "r") as file:
        names = []
        whole.visititems(lambda name, item: names.append(name) if _is_number(name, item) else None)
        assert "case/strong/anisotropy/response" in names
        for name in names:
            expected, given = whole[name][...], file[name][...]
            if "axes" not in name:   # (row, rigidity, ...)
                done = file[f"{name.rsplit('/', 2)[0]}/status/done"][:len(expected)] == 1
                expected, given = expected[:len(done)][done], given[:len(done)][done]
            elif name.endswith("observer"):
                given = given[:len(expected)]
            if expected.tobytes() != given.tobytes():
                found.append(name)
    return found


def _is_number(name, item):
    machine = name.endswith(("status/seconds", "status/rank")) or "provenance" in name
    return isinstance(item, h5py.Dataset) and item.dtype.kind in "fciu" and not machine


def is_complete(out, realisations=FEW):
    return done_entries(out) == 4 * realisations   # two cases, two rigidities


def seconds_per_realisation(out):
    """Core-seconds that a realisation took, as far as it took them here (median)."""
    with h5py.File(out, "r") as file:
        return float(sum(np.median(group["status/seconds"][...].sum(axis=1))
                         for group in file["case"].values()))
