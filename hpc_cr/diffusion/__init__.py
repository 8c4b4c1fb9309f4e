"""Diffusion of the same particles: running tensors from displacements and velocities."""
