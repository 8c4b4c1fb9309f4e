"""Scaling study: measured on this machine or by SLURM, and predicted for many ranks.

Run as `make scaling`, or `python -m tools.scaling --help` in the root of the checkout.
"""
