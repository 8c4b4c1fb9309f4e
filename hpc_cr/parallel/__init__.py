"""The parallel program: communicators, signals, teams with shared memory, work distribution."""
