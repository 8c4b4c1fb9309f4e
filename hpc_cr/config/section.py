"""What all tables of the job file have in common."""

from pydantic import BaseModel, ConfigDict

from hpc_cr.config.errors import JobError, shown


class Section(BaseModel):
    """A table of the job file: read-only, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def each_once(values):
    """Raise where a value is twice in a list; returns it."""
    for i, value in enumerate(values):
        if value in values[:i]:
            raise JobError(f"{shown(value)} is given twice")
    return values
