"""The closing table: what a result file says, in a few lines; by kind in `hpc_cr.cli.summaries`."""

import sys
from importlib import import_module

import numpy as np

from hpc_cr.campaigns.kinds import unit_of_work
from hpc_cr.cli.table import plain


def print_summary(path, stop=-1, stream=None):
    """Print, per case and rigidity, what was measured and what it cost.

    Parameters
    ----------
    path : path-like
        A result file; unfinished ones are summarised with what they hold.
    stop : int
        Index of the stop; default the last.
    stream : file, optional
        Default stdout. A terminal gets a drawn table, anything else aligned plain text.

    Raises
    ------
    hpc_cr.io.errors.ResultError
        The file cannot be read.
    """
    from hpc_cr.io.results import open_results

    stream = sys.stdout if stream is None else stream
    with open_results(path) as results:
        every = list(results.each_case())
        module_of(results.kind).print_results(every, stop, stream)
        for line in (*_warnings(every), *_closing(every, path)):
            print(plain(line, stream), file=stream)


def module_of(kind):
    """The module with a kind's table: print_results(cases, stop, stream), documents(cases)."""
    return import_module(f"hpc_cr.cli.summaries.{kind}")


def _warnings(cases):
    """Particles and steps that must not go unnoticed."""
    lines = []
    for case in cases:
        where = f"case {case.case}: " if case.case else ""
        lost, over = int(case.unfinished.sum()), int(case.over_tolerance.sum())
        if lost:
            share = lost / max(int(case.done.sum()) * case.job.n_pix, 1)
            lines.append(
                f"{where}{lost} particles ({100 * share:.2g} %) did not reach the last stop;"
                " they are left out"
            )
        if over and case.kind == "galaxy":
            lines.append(f"{where}{over} cells have a negative density; their entries are NaN")
        elif over:
            lines.append(f"{where}{over} steps were accepted above the tolerance")
    return lines


def _closing(cases, path):
    """Completion, cost, and where the file is."""
    done = sum(int(case.done.sum()) for case in cases)
    total = sum(case.done.size for case in cases)
    steps = sum(int(case.steps.sum()) for case in cases)
    seconds = sum(float(case.seconds.sum()) for case in cases)
    state = "complete" if done == total else f"{done} of {total} entries done"
    unit = unit_of_work(cases[0].kind)
    return [
        f"{steps:.3g} {unit} in {seconds:.3g} core-seconds"
        f" ({rate_text(steps, seconds)} million {unit.removeprefix('particle-')} per second and"
        " core)",
        f"Results: {path} ({state})",
    ]


def rigidity_text(rigidity_PV):
    """A rigidity with the prefix people use: 10 TV, 1 PV."""
    for unit, factor in (("EV", 1e-3), ("PV", 1.0), ("TV", 1e3), ("GV", 1e6)):
        if rigidity_PV * factor >= 0.9999:
            return f"{rigidity_PV * factor:.4g} {unit}"
    return f"{rigidity_PV * 1e6:.4g} GV"


def with_error(value, error, exponent):
    """A number and its error in units of a power of ten: "4.13 +- 0.52"; "-" where undefined."""
    if value is None or not np.isfinite(value):
        return "-"
    scaled = value / 10.0**exponent
    if error is None:
        return f"{scaled:.3g}"
    if not np.isfinite(error):
        return f"{scaled:.3g} +- -"
    width = error / 10.0**exponent
    # two digits of the error say how many of the value mean anything
    digits = 2 if width == 0 else int(np.clip(1 - np.floor(np.log10(width)), 0, 3))
    return f"{scaled:.{digits}f} +- {width:.{digits}f}"


def rate_text(steps, seconds):
    """Millions of steps per second and core; "-" where undefined."""
    return f"{steps / seconds / 1e6:.2f}" if seconds > 0 else "-"
