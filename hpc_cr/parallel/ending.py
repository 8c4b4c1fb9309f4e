"""Ending all ranks, also when nobody can be reached any more."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

ABORT_SECONDS = 3
"""How long a rank waits for MPI_Abort, or for being aborted, before it ends by itself."""

LAUNCHER_SECONDS = 6
"""How long a launcher may outlive an aborted job."""

EXIT_SECONDS = 60
"""What the interpreter's own end may take at least."""

_LAUNCHERS = ("mpirun", "mpiexec", "orterun", "orted", "prterun", "prted")

_OUTLIVE = """
i=0
while [ $i -lt {seconds} ]; do
    sleep 1
    [ "$(cat /proc/{pid}/comm 2>/dev/null)" = {name} ] || exit
    i=$((i + 1))
done
kill -KILL {pid}
"""
"""mpirun has been asked to end by MPI_Abort; asked again it crashes noisily."""


def end_all(comm, text):
    """Write a message to stderr and end all ranks, this one in any case; does not return.

    MPI_Abort may hang, as behind a cut link, and so may writing to a launcher that is gone. The
    alarm ends this process then, even where a library holds Python's lock.
    """
    signal.alarm(ABORT_SECONDS)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    with suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()
    if comm.size > 1:
        outlive_launcher()
        comm.Abort(1)
    # without MPI_Abort's own noise; closing a half-written file could hang or crash
    os._exit(1)


def limit_exit(comm, deadline):
    """End this process if it has not ended by itself `deadline` seconds, and some, from now.

    MPI_Finalize waits for all ranks, and nothing else can be done meanwhile. To be called when
    the job's work is over.
    """
    if comm.size > 1:
        signal.alarm(int(deadline) + EXIT_SECONDS)


def outlive_launcher():
    """See to it that the launcher of an aborted job ends, too.

    Open MPI's mpirun, and its daemon on another node, wait for each other behind a cut link until
    TCP gives up, a quarter of an hour later. A small process that is no part of the job looks
    after them.
    """
    pid = os.getppid()
    with suppress(OSError):
        with open(f"/proc/{pid}/comm") as file:
            name = file.read().strip()
        if name in _LAUNCHERS:
            script = _OUTLIVE.format(pid=pid, name=name, seconds=LAUNCHER_SECONDS)
            subprocess.Popen(["/bin/sh", "-c", script], cwd="/", start_new_session=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
