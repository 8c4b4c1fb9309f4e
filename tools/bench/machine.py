"""The machine: what it is, and how fast its memory answers."""

import os
import platform
import time
from importlib.metadata import version

import numpy as np
from numba import njit

from hpc_cr.io import provenance
from tools.bench.timing import Figure

LIBRARIES = ("numpy", "scipy", "numba", "llvmlite", "pyfftw", "healpy", "h5py", "mpi4py")


def facts():
    """CPU, cores, memory, versions, commit and whether the source has uncommitted changes: dict."""
    commit, dirty = provenance.source_state()
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cpu": provenance.cpu_model(), "cores": len(os.sched_getaffinity(0)),
            "memory_GiB": round(pages / 2**30, 1), "last_level_cache_MiB": cache_mib(),
            "python": platform.python_version(), **{name: version(name) for name in LIBRARIES},
            "commit": commit, "dirty": bool(dirty), "time": provenance.now(),
            "load_before": os.getloadavg()[0]}


def cache_mib():
    """Size of the largest cache of the first core in MiB, 0 where the system does not say."""
    sizes = [0]
    folder = "/sys/devices/system/cpu/cpu0/cache"
    for index in os.listdir(folder) if os.path.isdir(folder) else ():
        try:
            with open(f"{folder}/{index}/size") as file:
                sizes.append(int(file.read().strip().rstrip("K")) // 1024)
        except (OSError, ValueError):
            continue
    return max(sizes)


@njit(cache=True)
def chase(links, hops):
    """Follow links from element 0: each address is known only when the last one has arrived."""
    at = 0
    for _ in range(hops):
        at = links[at]
    return at


@njit(cache=True)
def random_lines(lines, reads):
    """Sum of the first number of random 64-byte lines (n, 8), n a power of two; independent."""
    mask, state, total = lines.shape[0] - 1, np.uint64(1), 0.0
    for _ in range(reads):
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        total += lines[int(state >> np.uint64(33)) & mask, 0]
    return total


@njit(cache=True)
def triad(a, b, c, factor):
    """a = b + factor c."""
    for i in range(a.size):
        a[i] = b[i] + factor * c[i]


def _cycle(count):
    """Random permutation of `count` elements that is one single cycle."""
    order = np.random.default_rng(1).permutation(count)
    links = np.empty(count, np.int64)
    links[order] = np.roll(order, -1)
    return links


def measure(rounds, say, mib=512):
    """Latency of dependent and of independent random reads, and streaming bandwidth, one core.

    Parameters
    ----------
    rounds : int
    say : callable
    mib : int
        Size of the arrays, a power of two beyond the last cache.

    Returns
    -------
    list of Figure
    """
    count = mib * 2**20 // 64
    say(f"arrays of {mib} MiB")
    links = np.zeros((count, 8), np.int64)  # one link per cache line
    links[:, 0] = _cycle(count) * 8
    links, lines = links.reshape(-1), np.ones((count, 8))
    a, b, c = np.ones(mib * 2**17), np.ones(mib * 2**17), np.ones(mib * 2**17)
    hops, reads = count // 8, count

    def seconds(function, *arguments):
        began = time.perf_counter()
        function(*arguments)
        return time.perf_counter() - began

    chase(links, 1), random_lines(lines, 1), triad(a[:1], b[:1], c[:1], 2.0)
    found = {"chase": [], "lines": [], "triad": []}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        found["chase"].append(1e9 * seconds(chase, links, hops) / hops)
        found["lines"].append(1e9 * seconds(random_lines, lines, reads) / reads)
        found["triad"].append(1e-9 * 3 * a.nbytes / seconds(triad, a, b, c, 2.0))
    return [Figure("machine", name, unit, tuple(found[key]), None, ()) for key, name, unit in (
        ("chase", f"dependent random reads over {mib} MiB", "ns"),
        ("lines", f"independent random 64-byte reads over {mib} MiB", "ns"),
        ("triad", f"triad a = b + s c over 3 x {mib} MiB", "GB/s"))]
