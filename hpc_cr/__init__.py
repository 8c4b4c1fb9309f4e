"""Cosmic-ray anisotropies and diffusion by backtracking in turbulent magnetic fields.

The names below are the public interface. They are loaded when they are first used, so that
``import hpc_cr`` stays fast and starts neither MPI nor a compiler.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "load_job": "hpc_cr.config",
    "make_field": "hpc_cr.fields",
    "backtrack": "hpc_cr.trajectories",
    "Trajectories": "hpc_cr.trajectories",
    "open_results": "hpc_cr.io.results",
}

__all__ = [
    "Trajectories",
    "__version__",
    "backtrack",
    "load_job",
    "make_field",
    "open_results",
]


def __getattr__(name):
    """Load a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(_HOME))
