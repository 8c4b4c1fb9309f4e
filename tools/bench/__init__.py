"""Benchmark: named problems, each timed beside a yardstick of the same machine and minute.

Run as `make bench`, or `python -m tools.bench --help` in the root of the checkout.
"""
