"""A rank's watch over itself: a thread that ends the job when the main thread stands still.

Silence is counted in slices of the watcher's own running time, never by the calendar: a job that
the scheduler stops for a night, or a clock that jumps, must not look like a rank that hangs.

A library that hangs while it holds Python's lock (HDF5 opening a file does) stops this thread as
well. For that a second one, which runs without the lock, has the last word; it can only say who
hangs and have the interpreter dump the place.
"""

import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

import numpy as np
from numba import types

from hpc_cr.kernel import njit

SLICES = 40
"""Looks per deadline."""
LONGEST_SLICE = 1.0
"""Seconds."""
FRAMES = 10
"""Innermost calls that are shown of a stack."""
GRACE_SECONDS = 0.5
"""What a thread that runs without Python's lock leaves the one that needs it, at least."""

_PACKAGE = str(Path(__file__).parents[1])

_usleep = types.ExternalFunction("usleep", types.intc(types.uintc))
_write = types.ExternalFunction("write", types.intp(types.intc, types.CPointer(types.uint8),
                                                    types.uintp))
_getpid = types.ExternalFunction("getpid", types.intc())
_kill = types.ExternalFunction("kill", types.intc(types.intc, types.intc))
_exit = types.ExternalFunction("_exit", types.void(types.intc))


class Silence:
    """Seconds without a sign of life, as far as the listener itself was awake.

    Parameters
    ----------
    longest : float
        Seconds that one look counts at most: what is more, the listener slept through.
    """

    def __init__(self, longest, clock=time.monotonic):
        self.seconds = 0.0
        self._longest = longest
        self._clock = clock
        self._looked = clock()

    def look(self, heard):
        """Seconds of silence up to now; `heard` tells whether there was a sign of life."""
        now = self._clock()
        passed, self._looked = now - self._looked, now
        self.seconds = 0.0 if heard else self.seconds + min(max(passed, 0.0), self._longest)
        return self.seconds


@njit(nogil=True)
def watch_without_lock(signs, slice_us, most, dump_signal, text):
    """Return when signs[1] is set; end the process after `most` slices in which signs[0] stays.

    Parameters
    ----------
    signs : ndarray (2,) of int64
        Count of signs of life, and whether to return.
    slice_us, most : int
        Length of a slice in microseconds, and how many may pass.
    dump_signal : int
        Makes the interpreter print where it is.
    text : ndarray of uint8
        Goes to stderr before the process ends.
    """
    seen, silent = signs[0], 0
    while signs[1] == 0:
        _usleep(slice_us)
        silent = silent + 1 if signs[0] == seen else 0
        seen = signs[0]
        if silent > most:
            _kill(_getpid(), dump_signal)
            _usleep(200000)
            _write(2, text.ctypes, text.size)
            _exit(1)


class Watchdog:
    """Calls `on_silence(seconds, place, stack)` when the main thread no longer moves.

    Parameters
    ----------
    deadline : float
        Seconds.
    who : str
        This rank and its host, for messages.
    on_silence : callable
        Must end the job. `place` is the last place in this package, `stack` the text of the
        innermost calls.
    """

    def __init__(self, deadline, who, on_silence):
        self.deadline = deadline
        self.slice = min(deadline / SLICES, LONGEST_SLICE)
        self._who = who
        self._on_silence = on_silence
        self._signs = np.zeros(2, np.int64)
        self._count = memoryview(self._signs)
        self._main = threading.get_ident()
        self._ended = threading.Event()
        self._threads = []

    def moved(self):
        """A sign of life from the main thread."""
        self._count[0] += 1

    def start(self):
        """Begin to watch."""
        self._begin(self._watch)

    def watch_calls(self):
        """Watch calls that hold Python's lock, too; loads a kernel (see `load`)."""
        if not hasattr(signal, "SIGUSR2"):
            return
        faulthandler.register(signal.SIGUSR2, all_threads=False)
        most = int((self.deadline + GRACE_SECONDS) / self.slice) + 2
        text = (f"hpc-cr: {self._who} has not moved for {self.deadline:.3g} s (parallel.deadline),"
                " in a call that cannot be interrupted, see above; all ranks end, finished entries"
                " are kept\n")
        self._begin(watch_without_lock, self._signs, int(self.slice * 1e6), most,
                    int(signal.SIGUSR2), np.frombuffer(text.encode(), np.uint8).copy())

    def stop(self):
        """No longer watch."""
        self._signs[1] = 1
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _begin(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _watch(self):
        silence, seen, before = Silence(2 * self.slice), self._count[0], None
        while not self._ended.wait(self.slice):
            frame = sys._current_frames()[self._main]
            # imports and compilation take long and poll nothing: they move all the same
            place = id(frame), frame.f_code, frame.f_lasti
            if place != before:
                self.moved()
            now = self._count[0]
            if silence.look(now != seen) > self.deadline:
                stack = traceback.extract_stack(frame)
                self._on_silence(silence.seconds, _place(stack),
                                 "".join(traceback.format_list(stack[-FRAMES:])))
            seen, before = now, place
            del frame


def _place(stack):
    """The innermost place in this package, else anywhere, as FILE:LINE function."""
    ours = [frame for frame in stack if frame.filename.startswith(_PACKAGE)]
    frame = (ours or stack)[-1]
    name = frame.filename
    if ours:
        name = os.path.relpath(name, os.path.dirname(_PACKAGE))
    return f"{name}:{frame.lineno} {frame.name}"


def load():
    """Load, or compile, the kernel of `Watchdog.watch_calls`."""
    watch_without_lock(np.ones(2, np.int64), 0, 0, 0, np.zeros(1, np.uint8))
