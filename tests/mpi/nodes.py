"""Two nodes on one machine: name spaces for network, host name and /dev/shm, joined by a link.

Open MPI takes them for two machines: it starts its daemon on the second one through a launch
agent, talks over TCP, and shares memory only inside a node.
"""

import itertools
import os
import subprocess
import sys
from pathlib import Path

_numbers = itertools.count(os.getpid() % 200 * 100)

_HOLD = ("hostname {name} && mount -t tmpfs -o size=256m tmpfs /dev/shm && ip link set lo up"
         " && echo ready && exec sleep 100000")

_AGENT = """#!/bin/sh
# mpirun's launch agent: HOST COMMAND...
host=$1; shift
exec nsenter -t $(cat {folder}/$host) --net --uts --mount -- sh -c "$*"
"""


def _sh(*words, check=True):
    return subprocess.run([str(word) for word in words], check=check, capture_output=True,
                          text=True)


def missing(delay=None):
    """Why there can be no nodes, or no delay between them, here; "" if they can be made (str)."""
    if os.geteuid() != 0:
        return "name spaces need root"
    if delay is not None and not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    for words in (("unshare", "--net", "--uts", "--mount", "mount", "-t", "tmpfs", "t", "/dev/shm"),
                  ("unshare", "--net", "ip", "link", "add", "a0", "type", "veth", "peer", "b0"),
                  ("nsenter", "--version"), ("hostname",)):
        try:
            done = _sh(*words, check=False)
        except FileNotFoundError:
            return f"{words[0]} is not installed"
        if done.returncode:
            return f"{' '.join(words)}: {done.stderr.strip()}"
    return ""


class Nodes:
    """Two nodes, as a context manager; what runs there does not end by itself.

    Parameters
    ----------
    folder : Path
        For the launch agent.
    delay : float, optional
        Seconds that a packet takes from one to the other (`delayed_link`).

    Attributes
    ----------
    names : list of str
        Host names.
    """

    def __init__(self, folder, delay=None):
        number = next(_numbers)
        self._folder = Path(folder)
        self.names = [f"node{number}a", f"node{number}b"]
        self._links = [f"hl{number}a", f"hl{number}b"]
        self._net = f"10.{77 + number // 256}.{number % 256}"
        self._delay = delay
        self._holders, self._carrier = [], None

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self):
        for name in self.names:
            holder = subprocess.Popen(
                ["unshare", "--net", "--uts", "--mount", "sh", "-c", _HOLD.format(name=name)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            self._holders.append(holder)
            assert holder.stdout.readline() == "ready\n"
            (self._folder / name).write_text(str(holder.pid))
        self._join(*self._links, *(holder.pid for holder in self._holders))
        for number, link in enumerate(self._links):
            self.inside(number, "ip", "addr", "add", f"{self._net}.{number + 1}/24", "dev", link)
            self.inside(number, "ip", "link", "set", link, "up")
        agent = self._folder / "agent"
        agent.write_text(_AGENT.format(folder=self._folder))
        agent.chmod(0o755)

    def _join(self, one, two, first, second):
        if self._delay is None:
            _sh("ip", "link", "add", one, "netns", first, "type", "veth", "peer", "name", two,
                "netns", second)
            return
        words = [sys.executable, Path(__file__).with_name("delayed_link.py"), first, second, one,
                 two, self._delay]
        self._carrier = subprocess.Popen([str(word) for word in words], text=True,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self._carrier.stdout.readline() == "ready\n"

    def __exit__(self, *exception):
        for process in (*self._holders, *filter(None, [self._carrier])):
            process.kill()
            process.communicate()

    def enter(self, number):
        """The first words of a command on a node."""
        return ["nsenter", "-t", str(self._holders[number].pid), "--net", "--uts", "--mount", "--"]

    def inside(self, number, *words):
        """Run a short command on a node; its output."""
        return _sh(*self.enter(number), *words).stdout

    def mpirun(self, first, second):
        """The first words of an mpirun on the first node, with so many ranks on each."""
        hosts = f"{self.names[0]}:{first},{self.names[1]}:{second}"
        net = f"{self._net}.0/24"
        return [*self.enter(0), "mpirun", "-q", "--bind-to", "none",
                "--mca", "plm_rsh_agent", str(self._folder / "agent"),
                "--mca", "oob_tcp_if_include", net, "--mca", "btl_tcp_if_include", net,
                "--host", hosts, "-n", str(first + second)]

    def cut(self, how="link"):
        """Cut the connection: the link goes down, or what is sent vanishes without a sign."""
        if how == "link":
            self.inside(1, "ip", "link", "set", self._links[1], "down")
        for number in range(2) if how == "vanish" else ():
            self.inside(number, "ip", "neigh", "replace", f"{self._net}.{2 - number}", "lladdr",
                        "02:00:00:00:00:99", "dev", self._links[number], "nud", "permanent")

    def mend(self):
        """Undo `cut`."""
        for number, link in enumerate(self._links):
            self.inside(number, "ip", "link", "set", link, "up")
            self.inside(number, "ip", "neigh", "flush", "dev", link, "nud", "permanent")

    def processes(self):
        """Command lines of what runs on the nodes, the nodes' holders apart, by node."""
        found = [[], []]
        spaces = [os.readlink(f"/proc/{holder.pid}/ns/net") for holder in self._holders]
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                space = os.readlink(folder / "ns/net")
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if space in spaces and command and not command.startswith("sleep 100000"):
                found[spaces.index(space)].append(command)
        return found
