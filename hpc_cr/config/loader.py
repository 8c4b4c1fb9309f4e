"""Reading job files: TOML, overrides, cases, validation, and errors in one line."""

import re
import tomllib
from pathlib import Path

from pydantic import ValidationError

from hpc_cr.config.errors import JobError, one_of, shown, unknown_key
from hpc_cr.config.job import Case, Job
from hpc_cr.config.overrides import changed, flatten, for_case, parse_override
from hpc_cr.config.resolve import resolve
from hpc_cr.config.shipped import shipped_jobs

KEYS = {section: tuple(part.alias or name for name, part
                       in field.annotation.model_fields.items())
        for section, field in Job.model_fields.items()}
"""Section -> its keys."""

_COMMON = ("run.kind", "run.seed")  # all cases share their random numbers


def load_job(path, overrides=(), case=None):
    """Read a job file.

    Parameters
    ----------
    path : str or Path
        TOML file.
    overrides : sequence of str
        "key.sub=value" with TOML values, else strings; they win over the file and its cases.
    case : str, optional
        Name of the [[case]] to take alone.

    Returns
    -------
    Job
        Complete and checked, values in pc, uG and PV.

    Raises
    ------
    JobError
        In one line: file, key, value, and what is allowed.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = ""
        if path.stem in shipped_jobs():
            hint = (f"; the shipped job of this name is printed by: hpc-cr jobs {path.stem} > "
                    f"{path.stem}.toml")
        raise JobError(f"no such file{hint}", where=str(path)) from None
    except UnicodeDecodeError:
        hint = " (a result file? `run` and `plan` take the job, JOB.toml)"
        raise JobError(f"not a text file in UTF-8{hint}", where=str(path)) from None
    except OSError as error:
        raise JobError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return _job(text, path.stem, str(path), overrides, case, path.parent)


def parse_job(text, name="job", overrides=(), case=None):
    """The same as `load_job` from TOML text; `name` becomes the job's name."""
    return _job(text, name, name, overrides, case)


def _job(text, name, where, overrides, case, folder=Path()):
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # the latter for thousands of brackets
        raise JobError(f"not valid TOML: {error}", where=where) from None
    try:
        edits = dict(parse_override(override) for override in overrides)
    except JobError as error:
        raise error.at("--set") from None
    try:
        tables = _case_tables(document.pop("case", None))
        jobs = [Case(label, _validated(document, changes, edits, label, folder).named(name))
                for label, changes in (tables or {"": {}}).items()]
        if case is not None:
            if case not in tables:
                known = f"the cases are {one_of(tables)}" if tables else "the job has no cases"
                raise JobError(f"no case {shown(case)}; {known}")
            return next(job for label, job in jobs if label == case)
    except JobError as error:
        raise error.at(where) from None
    return jobs[0].job.named(name, jobs) if tables else jobs[0].job


def _case_tables(cases):
    """Name -> flat `set` of every [[case]], in the order of the file."""
    if cases is None:
        return {}
    if not isinstance(cases, list) or not cases or not all(isinstance(c, dict) for c in cases):
        raise JobError("expected [[case]] tables with name and set", "case")
    tables = {}
    for case in cases:
        for key in case:
            if key not in ("name", "set"):
                raise JobError("unknown key; a case has name and set", f"case.{key}")
        name, changes = case.get("name"), case.get("set", {})
        if name is None:
            raise JobError("every case needs a name", "case.name")
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise JobError(f"{shown(name)}: a name has letters, digits, - and _ only", "case.name")
        if name in tables:
            raise JobError(f"{shown(name)} is the name of two cases", "case.name")
        if not isinstance(changes, dict):
            raise JobError(f'{shown(changes)} is not a table; write set = {{ "turbulence.rms" = '
                           '"1 uG" }', "case.set")
        changes = flatten(changes)
        for key in _COMMON:
            if key in changes:
                raise JobError("is the same for all cases; set it in [run]", key, f"case {name}")
        tables[name] = changes
    return tables


def _with_gradient(job, folder):
    """The job with the gradient of the result file that gradient.from names, if it does."""
    gradient = job.gradient
    if job.run.kind != "anisotropy" or gradient.from_ is None or gradient.vectors is not None:
        return job
    from hpc_cr.io.errors import ResultError
    from hpc_cr.io.galaxy import sun_gradient

    path = Path(gradient.from_)
    path = path if path.exists() else folder / path
    try:
        found = sun_gradient(path, job.particles.rigidities, gradient.case)
    except ResultError as error:
        hint = ""
        if not path.exists() and path.stem in shipped_jobs():
            hint = f"; the shipped job {path.stem} makes it: hpc-cr jobs {path.stem}"
        raise JobError(f"{error}{hint}", "gradient.from") from None
    vectors = tuple(map(tuple, found.tolist()))
    return job.model_copy(update={"gradient": gradient.model_copy(update={"vectors": vectors})})


def _validated(document, changes, edits, label, folder):
    try:
        document = changed(changed(document, changes), for_case(edits, changes))
        try:
            job = Job.model_validate(document)
        except ValidationError as errors:
            raise _first(errors.errors(include_url=False)) from None
        return resolve(_with_gradient(job, folder))
    except JobError as error:
        raise (error.at(f"case {label}") if label else error) from None


def _first(errors):
    """JobError of the first problem; unknown keys come first, since they explain others."""
    error = min(errors, key=lambda e: e["type"] != "extra_forbidden")
    parts, kind = error["loc"], error["type"]
    key = ".".join(str(part) for part in parts[:2])
    value = shown(error["input"])
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        if isinstance(error["input"], dict) and len(parts) == 1:
            return JobError(unknown_key(key, KEYS), f"[{key}]")
        return JobError(unknown_key(key, KEYS), key)
    if kind == "value_error":
        inner = context["error"]
        return JobError(getattr(inner, "message", str(inner)), key)
    if kind == "literal_error":
        section, name = parts[:2]
        return JobError(f"{value} is not allowed; expected {_allowed(section, name)}", key)
    if kind == "model_type":
        return JobError(f"{value} is not a table; write [{key}]", key)
    if kind == "bool_type":
        return JobError(f"{value} is not allowed; expected true or false", key)
    return JobError(f"{value}: {error['msg']}", key)


def _allowed(section, name):
    table = Job.model_fields[section].annotation
    field = next(f for n, f in table.model_fields.items() if name in (n, f.alias))
    return field.json_schema_extra["form"].split(";")[0]
