"""Trajectories of cosmic rays: integrators, start directions, stops, backtracking."""

from hpc_cr.trajectories.backtrack import Trajectories, backtrack

__all__ = ["Trajectories", "backtrack"]
