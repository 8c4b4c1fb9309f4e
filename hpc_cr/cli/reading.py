"""Progress of a command that reads large files: share, rate and time left."""

import sys
import time
from contextlib import contextmanager

from hpc_cr.cli.terminal import duration, on_terminal

LINE_SECONDS = 10.0
"""Pause between plain lines when nobody watches a terminal."""


@contextmanager
def reading(label, n_bytes, stream=None):
    """Show how far a file has been read, on stderr: the output itself may go into a pipe.

    Parameters
    ----------
    label : str
        What is done with what.
    n_bytes : int
        In all.
    stream : file, optional

    Yields
    ------
    callable
        To be called with the number of bytes that were read since the last call.
    """
    stream = sys.stderr if stream is None else stream
    if on_terminal(stream):
        with _bar(label, n_bytes, stream) as advance:
            yield advance
    else:
        yield _Lines(label, n_bytes, stream)


@contextmanager
def _bar(label, n_bytes, stream):
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(file=stream), transient=True) as bar:
        task = bar.add_task(label, total=n_bytes)
        yield lambda count: bar.advance(task, count)


class _Lines:
    """A plain line now and then; a file that is read quickly gets none."""

    def __init__(self, label, n_bytes, stream):
        self._label, self._total, self._stream = label, max(n_bytes, 1), stream
        self._read, self._began = 0, time.monotonic()
        self._shown = self._began

    def __call__(self, count):
        self._read += count
        now = time.monotonic()
        if now - self._shown < LINE_SECONDS:
            return
        self._shown = now
        rate = self._read / (now - self._began)
        left = duration((self._total - self._read) / rate)
        print(f"hpc-cr: {self._label}: {100 * self._read / self._total:.0f} %,"
              f" {rate / 1e6:.0f} MB/s, {left} left", file=self._stream, flush=True)
