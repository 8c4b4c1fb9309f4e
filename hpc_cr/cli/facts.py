"""What `hpc-cr info` says about the making of a file: who, when, where, with what, at what cost."""

import sys
import time

import numpy as np

from hpc_cr.campaigns import accounts
from hpc_cr.campaigns.watch import SILENT_SECONDS
from hpc_cr.cli.table import print_table
from hpc_cr.cli.terminal import duration
from hpc_cr.io.provenance import VERSIONS

MANY_RUNS = 20
"""Run records that are listed; of more, the last ones."""
SLOWEST = 3
"""Hosts, ranks and entries that are named."""
NOTABLE, NOTABLE_ENTRY = 1.25, 1.5
"""Slowness from which a host or rank, and a single entry, is worth a line."""
NOTABLE_SECONDS = 1.0
"""Core time from which a single entry is: what is over at once varies by chance."""


def print_facts(results, stream=None):
    """Print what the file is and how it was made.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
    stream : file, optional
        Default stdout.
    """
    stream = sys.stdout if stream is None else stream
    _lines(_what(results), stream)
    _runs(results.runs, stream)
    _lines(_cost(results), stream)


def _lines(facts, stream):
    """Facts as (name, text), the empty ones left out."""
    for name, text in facts:
        if text:
            print(f"{name:12s}{text}", file=stream)


def _what(results):
    """File, job, and the program that began it."""
    facts, job = results.provenance, results.job
    observers = job.particles.observers
    each = f", {observers} {job.place_name}s in each" if observers > 1 else ""
    numbers = np.unique(results.realisation)
    libraries = [f"{name} {facts[name]}" for name in VERSIONS
                 if facts.get(name, "none") != "none"]  # fmt: skip
    return [
        ("file", f"{results.path}, format version {facts['format_version']}"),
        ("job", f"{facts['job']} (run.kind {job.run.kind}, seed {job.run.seed});"
                " info --job prints it"),
        ("cases", ", ".join(filter(None, results.case_names))),
        ("rows", ", ".join(results.species) if results.kind == "galaxy" else
         f"{len(numbers)} realisations ({numbers[0]} to {numbers[-1]}){each}"),
        ("merged by" if facts.get("created_by") == "merge" else "begun by",
         f"{facts.get('user', 'unknown')} on {facts.get('host')} ({facts.get('cpu')}),"
         f" {_moment(facts.get('started', ''))}"),
        ("program", f"hpc_cr {facts.get('version')}, {_commit(facts)}"),
        ("libraries", ", ".join(libraries)),
        ("mpi", facts.get("mpi")),
        ("command", facts.get("command")),
    ]  # fmt: skip


def _commit(facts):
    commit = facts.get("commit") or "unknown"
    state = {1: " with uncommitted changes", 0: "", -1: " (changes unknown)"}
    return f"commit {commit[:12]}{state.get(facts.get('dirty', -1), '')}"


def _moment(text):
    """A time of the file for people: 2026-11-21 12:00:03 UTC."""
    return text.replace("T", " ").replace("Z", " UTC") if text else "?"


def _runs(runs, stream):
    """The table of runs, with what they do not have in common below it."""
    if not runs:
        print("runs        none was begun", file=stream)
        return
    names = ("run", "started", "ended", "host", "nodes", "ranks", "team", "job", "entries", "wall",
             "state")  # fmt: skip
    header = [(name, "UTC" if name in ("started", "ended") else "") for name in names]
    shown = runs[-MANY_RUNS:]
    rows = [_run(len(runs) - len(shown) + i, run) for i, run in enumerate(shown)]
    # a column that says nothing is left out
    kept = [c for c in range(len(header)) if any(row[c] for row in rows)]
    number = f"{len(runs)} run{'s' if len(runs) > 1 else ''}"
    last = f", the last {len(shown)}:" if len(shown) < len(runs) else ":"
    print(f"\n{number}{last}", file=stream)
    rows = [[row[c] for c in kept] for row in rows]
    print_table([header[c] for c in kept], rows, stream, left=("host", "job", "state"),
                dispensable=("ended", "team", "nodes", "wall"))  # fmt: skip
    makers = {}
    for number, run in enumerate(runs):
        makers.setdefault(maker_of(run), []).append(number)
    if len(makers) > 1:
        for maker, numbers in makers.items():
            print(f"{f'runs {_ranges(numbers)}':12s}{maker}", file=stream)
    print(file=stream)


def _run(number, run):
    """One row of the table."""
    ended = run["ended"] or run.get("seen", "")
    wall = run.get("wall", 0.0)
    job = run["job_id"]
    if job and run.get("array_task"):
        job += f"_{run['array_task']}"
    if run.get("restart"):
        job += f" restart {run['restart']}"
    piece = f"from {run['piece']}" if run.get("piece") else ""
    return [
        str(number),
        run["started"].replace("T", " ").rstrip("Z"),
        ended.replace("T", " ").rstrip("Z") + ("" if run["ended"] else " (seen)" * bool(ended)),
        run["host"],
        str(run.get("nodes") or ""),
        str(run["ranks"]),
        str(run["team_size"]),
        ", ".join(filter(None, (job, piece))),
        str(run["entries"]),
        duration(wall) if wall else "",
        run["state"],
    ]


def maker_of(run):
    """What a run was made with, from its record: versions of the program and the libraries."""
    python = f"python {run['python']}" if run.get("python") else ""
    return ", ".join(filter(None, (f"hpc_cr {run['version']}", _commit(run), python,
                                   run.get("libraries"), run["mpi"])))  # fmt: skip


def _ranges(numbers):
    """0, 1, 2, 5 as "0-2, 5"."""
    groups = []
    for number in numbers:
        if groups and number == groups[-1][1] + 1:
            groups[-1][1] = number
        else:
            groups.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in groups)


def _cost(results):
    """Core time by activity and by host, and what was slow."""
    cases = list(results.each_case())
    entries = accounts.finished_entries(cases)
    spent = accounts.activities(results.runs)
    total = sum(spent.values())
    facts = []
    if total > 0:
        parts = ", ".join(f"{name} {100 * s / total:.3g} %" for name, s in spent.items())
        facts.append(("cost", f"{_core_time(total)}: {parts}"))
    elif len(entries.run):
        facts.append(("cost", f"{_core_time(entries.seconds.sum())} for the finished entries"))
    if not len(entries.run):
        return facts
    hosts = accounts.shares(entries)
    if len(hosts) > 1:
        usual = [h for h in hosts if h.slowness < NOTABLE]
        slow = "; ".join(f"{h.host} took {h.slowness:.3g} times as long as usual"
                         for h in hosts[:SLOWEST] if h.slowness >= NOTABLE)  # fmt: skip
        pace = f"{len(hosts)} hosts, {len(usual)} at the usual pace"
        facts.append(("hosts", "; ".join(filter(None, (pace, slow)))))
    slowness = accounts.slowness(entries)
    slowness[entries.seconds < NOTABLE_SECONDS] = 0.0
    for i in np.argsort(-slowness)[:SLOWEST]:
        if slowness[i] < NOTABLE_ENTRY:
            break
        where = f"rank {entries.rank[i]}" + (f" on {entries.host[i]}" if entries.host[i] else "")
        case = cases[entries.case[i]]
        name = case.job.entry_name(entries.row[i], entries.rig[i], case.case)
        facts.append(("slow entry", f"{name}: {duration(entries.seconds[i])} of core time,"
                      f" {slowness[i]:.3g} times as long as usual, {where}"))  # fmt: skip
    return facts


def _core_time(seconds):
    return f"{seconds / 3600:.3g} core-hours" if seconds >= 360 else f"{seconds:.3g} core-seconds"


def print_watch(watch, results, stream=None):
    """Print how the job that writes the file is doing; nothing if none does.

    Parameters
    ----------
    watch : hpc_cr.campaigns.watch.Watch or None
    results : hpc_cr.io.results.Results
    stream : file, optional
    """
    if watch is None or watch.life == "ended":
        return
    stream = sys.stdout if stream is None else stream
    if watch.life == "starting":
        _lines([("STARTING", "a job holds the lock and has not begun its run yet")], stream)
        return
    run = results.runs[-1]
    facts = [(watch.life.upper(), _life(watch, run))]
    facts.append(("progress", f"{watch.done} of {watch.total} entries,"
                  f" {100 * watch.fraction:.3g} % of the expected particle-steps"))  # fmt: skip
    if np.isfinite(watch.step_rate):
        facts.append(("rate", f"{watch.step_rate / 1e6:.3g} million particle-steps/s,"
                      f" {3600 * watch.entry_rate:.3g} entries/h"))  # fmt: skip
    if watch.life == "running" and np.isfinite(watch.left):
        end = time.strftime("%a %H:%M", time.localtime(time.time() + watch.left))
        facts.append(("time left", f"{duration(watch.left)}, until {end}"))
    facts += [("slow rank", _rank(share, watch)) for share in watch.ranks[:SLOWEST]
              if share.slowness >= NOTABLE]  # fmt: skip
    quiet = min(watch.ranks, key=lambda share: share.last, default=None)
    if quiet and watch.life != "dead" and len(watch.ranks) > 1:
        facts.append(("quietest", _rank(quiet, watch)))
    teams = -(-run["ranks"] // max(run["team_size"], 1))
    if len(watch.ranks) < teams:
        facts.append(("none yet", f"{teams - len(watch.ranks)} of {teams} teams have finished no"
                      " entry"))  # fmt: skip
    _lines(facts, stream)
    print(file=stream)


def _life(watch, run):
    ranks = f"{run['ranks']} ranks, rank 0 on {run['host']}"
    silence = duration(watch.silence) if watch.silence >= 1 else "a moment"
    if watch.life == "running":
        return f"for {duration(watch.elapsed)} with {ranks}, seen {silence} ago"
    if watch.life == "silent":
        return (f"no sign of life for {silence}, but rank 0 on {run['host']} holds the lock: it"
                " hangs, was stopped, or the clocks differ")  # fmt: skip
    if watch.silence < SILENT_SECONDS:
        return f"the job is gone ({ranks}, seen {silence} ago): killed? --resume goes on"
    return f"no sign of life for {silence} ({ranks}): killed? --resume goes on"


def _rank(share, watch):
    where = f"rank {share.rank}" + (f" on {share.host}" if share.host else "")
    text = f"{where}: {share.entries} entr{'y' if share.entries == 1 else 'ies'}"
    if np.isfinite(share.last):
        text += f", the last {duration(max(watch.elapsed - share.last, 0.0))} ago"
    if share.slowness < NOTABLE:
        return text
    return f"{text}, {share.slowness:.3g} times the usual core time per step"
