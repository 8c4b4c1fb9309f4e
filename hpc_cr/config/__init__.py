"""The job file: schema, units, defaults, derived scales and errors.

`load_job` reads a file, `parse_job` reads TOML text; both return a `Job` whose values are floats in
the internal units pc, uG and PV, or raise a `JobError` of one line.
"""

from importlib import import_module

_HOME = {
    "Case": "hpc_cr.config.job",
    "Job": "hpc_cr.config.job",
    "JobError": "hpc_cr.config.errors",
    "Level": "hpc_cr.config.levels",
    "load_job": "hpc_cr.config.loader",
    "parse_job": "hpc_cr.config.loader",
}

__all__ = ["Case", "Job", "JobError", "Level", "load_job", "parse_job"]


def __getattr__(name):
    """Load a name from its module on first use: the errors alone need no pydantic."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value
