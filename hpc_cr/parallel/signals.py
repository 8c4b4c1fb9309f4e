"""Signals that ask for a clean stop: noted here, looked at between kernel calls."""

import signal

EXIT_STOPPED = 75
"""Exit status of a job that a signal stopped with everything finished kept (EX_TEMPFAIL)."""

_ASKING = (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopSignals:
    """Catches SIGUSR1, SIGTERM, SIGINT and SIGHUP (the terminal was closed) while active.

    A second SIGINT interrupts at once. Under nohup SIGHUP stays ignored.

    Attributes
    ----------
    received : str or None
        Name of the first signal that came.
    """

    def __init__(self):
        self.received = None
        self._previous = {}

    def __enter__(self):
        for number in _ASKING:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._note)
        return self

    def looked_at(self):
        """Whether a signal came, for use as a `poll`."""
        return self.received is not None

    def _note(self, number, frame):
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = self.received or signal.Signals(number).name

    def __exit__(self, *exception):
        for number, handler in self._previous.items():
            # SLURM and launchers send twice now and then: the second one must not kill a process
            # that has stopped as asked and is on its way out, or its status would be another
            stopped = self.received is not None and number != signal.SIGINT
            signal.signal(number, signal.SIG_IGN if stopped else handler)
