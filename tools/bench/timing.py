"""Runs that take turns, and what is said of them."""

import statistics
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured quantity of a problem, as it stands in the JSON file."""

    problem: str
    name: str
    unit: str
    runs: tuple  # one value per round
    yardstick: str | None  # what it is compared with, or None
    yardstick_runs: tuple  # its values, in the same rounds and unit; one value stands for all
    note: str = ""

    @property
    def ratios(self):
        """Value over yardstick, round by round: a slow minute of the machine cancels."""
        marks = self.yardstick_runs
        if not marks:
            return ()
        marks = marks * len(self.runs) if len(marks) == 1 else marks
        return tuple(run / mark for run, mark in zip(self.runs, marks, strict=True))

    def document(self):
        """Dict for JSON."""
        found = {"problem": self.problem, "name": self.name, "unit": self.unit,
                 **summary(self.runs), "runs": list(self.runs)}
        if self.ratios:
            found |= {"yardstick": self.yardstick, "yardstick_runs": list(self.yardstick_runs),
                      "ratio": summary(self.ratios)}
        if self.note:
            found["note"] = self.note
        return found


def summary(values):
    """Median, minimum and maximum of a sequence as a dict."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def take_turns(functions, rounds, tick=lambda: None):
    """Call all functions once per round, so that all of them see the same state of the machine.

    Parameters
    ----------
    functions : dict of str to callable
        Each returns one number, such as seconds; warmed up by the caller.
    rounds : int
    tick : callable
        Called after every function.

    Returns
    -------
    dict of str to tuple of float
        The numbers (rounds,) by name.
    """
    found = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            found[name].append(float(function()))
            tick()
    return {name: tuple(values) for name, values in found.items()}
