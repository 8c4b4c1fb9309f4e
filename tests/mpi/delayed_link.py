"""A link with a delay between two network name spaces: delayed_link.py PID_A PID_B NAME_A NAME_B S.

The kernel's own delays (tc netem) are missing on many machines. Here each side has a TUN device,
and this process carries the packets from one to the other, S seconds later. Prints "ready" when
both devices are there.
"""

import ctypes
import fcntl
import os
import select
import struct
import sys
import time
from collections import deque
from contextlib import suppress

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
LONGEST_PACKET = 65536


def open_device(pid, name):
    """A TUN device in the network name space of a process (file descriptor)."""
    space = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(space, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(space)
    # a device belongs to the name space in which it was opened
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def carry(devices, delay):
    """Packets from each device to the other one, for ever."""
    under_way = deque()  # of (time of arrival, to, packet), in this order
    while True:
        left = under_way[0][0] - time.monotonic() if under_way else None
        for source in select.select(devices, [], [], left and max(left, 0.0))[0]:
            packet = os.read(source, LONGEST_PACKET)
            target = devices[1] if source == devices[0] else devices[0]
            under_way.append((time.monotonic() + delay, target, packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, target, packet = under_way.popleft()
            with suppress(OSError):  # the other device is not up yet
                os.write(target, packet)


def main():
    first, second, name, other, delay = sys.argv[1:]
    devices = [open_device(first, name), open_device(second, other)]
    print("ready", flush=True)
    carry(devices, float(delay))


if __name__ == "__main__":
    main()
