"""Predicted efficiency up to many ranks, and the simulation held against real queues."""

import numpy as np

from tools.scaling.measure import by_ranks, costs
from tools.scaling.simulate import PLAIN, Costs, Policy, simulate

ENOUGH = 200
"""Tasks per rank that suffice where the whole number would only repeat the same."""
POLICIES = {"program": Policy(), "one at a time": PLAIN}
"""The program's distribution, and the plain one: whole realisations on request."""


def predict(jobs, machine, ranks, tasks, spread, speeds, network, disk, say=lambda text: None):
    """Simulate jobs at many rank counts.

    Parameters
    ----------
    jobs : dict of str to (dict, int)
        By label: from `measure.of_job`, and ranks per team.
    machine : dict
        From `measure.machine`.
    ranks : sequence of int
    tasks : int
        Realisations.
    spread, speeds : float
        See `simulate`.
    network, disk
        See `measure.costs`.
    say : callable
        Told what is simulated.

    Returns
    -------
    list of dict
        job, policy, ranks, team, realisations, and the fields of `simulate.Outcome`.
    """
    found = []
    for label, (job, team) in jobs.items():
        for n in ranks:
            if n < team:
                continue
            count = min(tasks, ENOUGH * n)
            entries = np.tile([job["entries"]], (count, 1))
            for name, policy in POLICIES.items():
                say(f"{label}, {n} ranks, {name}")
                outcome = simulate(entries, costs(machine, job, network, disk), n, team=team,
                                   spread=spread, speeds=speeds, policy=policy)
                found.append({"job": label, "policy": name, "ranks": n, "team": team,
                              "realisations": count,
                              **{key: float(value) for key, value in outcome._asdict().items()}})
    return found


def tables(found):
    """Predictions as rich tables, one per job."""
    from rich.table import Table

    plain = {(p["job"], p["ranks"]): p for p in found if p["policy"] != "program"}
    shown = {}
    for point in (p for p in found if p["policy"] == "program"):
        job = point["job"]
        if job not in shown:
            shown[job] = Table(title=f"{job}: efficiency and what takes the rest, %",
                               title_justify="left")
            for name in ("ranks", "team", "realisations", "efficiency", "one at a time", "waits",
                         "end", "writes", "fields again", "rank 0 busy", "file busy"):
                shown[job].add_column(name, justify="right")
        shares = [f"{100 * point[name]:.2f}" for name in ("waiting", "tail", "writing",
                                                         "repeated", "manager", "file")]
        shown[job].add_row(str(point["ranks"]), str(point["team"]), str(point["realisations"]),
                           f"{100 * point['efficiency']:.1f}",
                           f"{100 * plain[job, point['ranks']]['efficiency']:.1f}", *shares)
    return list(shown.values())


def figure(found, path):
    """Efficiency over ranks by job, and how busy rank 0 and the file are, as a PNG."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(10.0, 5.2), layout="constrained")
    left, right = drawn.subplots(1, 2)
    for number, job in enumerate(dict.fromkeys(point["job"] for point in found)):
        colour = f"C{number}"
        for policy, style in (("program", "o-"), ("one at a time", "x:")):
            mine = [p for p in found if p["job"] == job and p["policy"] == policy]
            left.plot([p["ranks"] for p in mine], [100 * p["efficiency"] for p in mine], style,
                      color=colour, label=job if policy == "program" else None)
            if policy == "program":
                for name, line in (("manager", "-"), ("file", "--")):
                    right.plot([p["ranks"] for p in mine],
                               [100 * p[name] for p in mine], line, color=colour)
    left.axhline(90, color="0.6", lw=0.8)
    left.plot([], [], "x:", color="0.4", label="whole realisations, one at a time")
    right.plot([], [], "-", color="0.4", label="right: rank 0, messages")
    right.plot([], [], "--", color="0.4", label="right: file, writes")
    left.set_ylabel("predicted efficiency, % of 1 rank")
    left.set_ylim(0, 105)
    right.set_ylabel("busy, % of the wall time")
    right.set_yscale("log")
    right.set_ylim(1e-3, 200)
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xlabel("ranks")
    drawn.legend(loc="outside lower center", ncols=2, fontsize="small")
    drawn.savefig(path, dpi=150)


def check(ranks, tasks, seconds, spread, say=lambda text: None):
    """Real queues of sleeping tasks through the real distribution, beside their simulation.

    Parameters
    ----------
    ranks : sequence of int
        May be more than there are cores: a sleeping rank needs none.
    tasks : int
        Per rank.
    seconds, spread : float
        Mean length of a task, and relative standard deviation.

    Returns
    -------
    list of dict
        ranks, serve_only, real and simulated (wall time in s), real_efficiency,
        simulated_efficiency.
    """
    from hpc_cr.parallel.communicator import NAP_SECONDS
    from hpc_cr.trajectories.backtrack import CALL_SECONDS

    messages = by_ranks(2, "messages")
    found = []
    for n in ranks:
        for serve_only in (False, True):
            say(f"{n} ranks{', rank 0 serves only' if serve_only else ''}")
            real = by_ranks(n, "queue", tasks * n, seconds, spread, CALL_SECONDS, int(serve_only))
            lengths = np.array(real["lengths"])
            outcome = simulate(lengths[:, None],
                               Costs(**messages, nap=NAP_SECONDS, call=CALL_SECONDS), n,
                               policy=Policy(serve_only=serve_only))
            found.append({"ranks": n, "serve_only": serve_only, "tasks": len(lengths),
                          "real": real["seconds"], "simulated": float(outcome.seconds),
                          "real_efficiency": float(lengths.sum() / (n * real["seconds"])),
                          "simulated_efficiency": float(outcome.efficiency)})
    return found


def check_table(found):
    """Real and simulated queues as a rich table."""
    from rich.table import Table

    shown = Table(title="queues of sleeping tasks: real and simulated", title_justify="left")
    for name in ("ranks", "rank 0", "tasks", "real s", "simulated s", "real/simulated",
                 "real efficiency %", "simulated %"):
        shown.add_column(name, justify="right", overflow="fold")
    for row in found:
        shown.add_row(str(row["ranks"]), "serves" if row["serve_only"] else "computes",
                      str(row["tasks"]), f"{row['real']:.3f}", f"{row['simulated']:.3f}",
                      f"{row['real'] / row['simulated']:.3f}",
                      f"{100 * row['real_efficiency']:.1f}",
                      f"{100 * row['simulated_efficiency']:.1f}")
    return shown
