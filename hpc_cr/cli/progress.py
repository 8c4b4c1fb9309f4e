"""What rank 0 shows of a run: progress, rate and time left."""

import sys
import time

from hpc_cr.campaigns.campaign import Progress
from hpc_cr.cli.reading import reading
from hpc_cr.cli.terminal import duration, on_terminal

LINE_SECONDS = 10.0
"""Pause between plain lines when the output is not a terminal."""


class _Counted(Progress):
    """Counts entries and steps; the subclasses show them."""

    def reading(self, label, n_bytes):
        return reading(label, n_bytes, sys.stdout)

    def begin(self, entries, done, cost, unit):
        self._unit = unit
        self._entries, self._done, self._done_before = entries, done, done
        self._cost, self._cost_done, self._steps = max(cost, 1.0), 0.0, 0
        self._began = self._shown = time.monotonic()
        if done:
            self.note(f"{done} of {entries} entries are finished already")

    def entry(self, cost, steps):
        self._done += 1
        self._cost_done += cost
        self._steps += steps

    def _fraction(self):
        return min(self._cost_done / self._cost, 1.0)

    def _rate(self):
        spent = time.monotonic() - self._began
        return f"{self._steps / spent / 1e6:.1f} million {self._unit}/s" if self._steps else ""

    def _took(self, seconds):
        """How long it took, and what the ranks' time went into."""
        took = f"tracking took {duration(time.monotonic() - self._began)}"
        total = sum(seconds.values())
        if total <= 0:
            return took
        parts = ", ".join(f"{name} {100 * value / total:.1f} %" for name, value in seconds.items())
        return f"{took}; core-seconds of the ranks: {parts}"

    def _left(self):
        fraction = self._fraction()
        if not 0 < fraction < 1:
            return ""
        return f"{duration((time.monotonic() - self._began) * (1 / fraction - 1))} left"


class PlainProgress(_Counted):
    """One line now and then, for batch jobs and pipes."""

    def __init__(self, stream=None):
        self._stream = stream or sys.stdout

    def note(self, text):
        print(f"hpc-cr: {text}", file=self._stream, flush=True)

    def tick(self):
        now = time.monotonic()
        if now - self._shown >= LINE_SECONDS:
            self._shown = now
            self._line()

    def _line(self):
        parts = [f"{self._done}/{self._entries} entries", f"{100 * self._fraction():.0f} %",
                 self._rate(), self._left()]
        self.note(", ".join(part for part in parts if part))

    def end(self, seconds):
        self._line()
        self.note(self._took(seconds))


class BarProgress(_Counted):
    """A bar on a terminal."""

    def __init__(self):
        from rich.console import Console

        self._console = Console()
        self._bar = None

    def note(self, text):
        self._console.print(f"hpc-cr: {text}", highlight=False)

    def begin(self, entries, done, cost, unit):
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        super().begin(entries, done, cost, unit)
        self._bar = Progress(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
                             TextColumn("{task.fields[news]}"), console=self._console)
        self._task = self._bar.add_task("computing", total=self._cost, news="")
        self._bar.start()

    def tick(self):
        now = time.monotonic()
        if now - self._shown >= 0.2:
            self._shown = now
            news = [f"{self._done}/{self._entries} entries", self._rate(), self._left()]
            self._bar.update(self._task, completed=self._cost_done,
                             news=", ".join(part for part in news if part))

    def end(self, seconds):
        self._shown = 0.0
        self.tick()
        self._bar.stop()
        self.note(self._took(seconds))


def make_progress(quiet):
    """The display that suits the output: none, a bar or plain lines."""
    if quiet:
        return Progress()
    return BarProgress() if on_terminal(sys.stdout) else PlainProgress()
