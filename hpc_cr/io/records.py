"""Run records carried from file to file: who made the entries, with which versions."""

import numpy as np

from hpc_cr.io import provenance, schema

MERGED = {"created_by": "merge"}
"""Root attribute of a file that no run laid out: its versions made no numbers."""

_NAMES = ("version", "commit", *provenance.VERSIONS, "cpu")


def read_records(results, piece=""):
    """Run records of a file in the present format.

    Parameters
    ----------
    results : hpc_cr.io.results.Results
    piece : str, optional
        Name that records get which have none yet: the file they come from.

    Returns
    -------
    ndarray (n,) of `schema.RUN_DTYPE`
        The caller holds the lock or knows that nobody writes: what still says "running" was
        killed.
    """
    rows = results._file[schema.RUNS.path][...]
    rows = rows[rows["started"] != b""]
    records = np.zeros(len(rows), schema.RUN_DTYPE)
    for name in set(rows.dtype.names) & set(records.dtype.names):
        records[name] = rows[name]
    records["state"][records["state"] == b"running"] = b"killed"
    records["piece"][records["piece"] == b""] = piece.encode(errors="replace")
    if len(records) and "command" not in rows.dtype.names:
        _from_attributes(records[0:1], results.provenance)
    return records


def _from_attributes(first, facts):
    """Of a file of format 1, what its attributes say about the first run alone."""
    for name in ("user", "cpu", "python", "command"):
        first[name] = str(facts.get(name, "")).encode(errors="replace")
    first["libraries"] = provenance.libraries_text(facts).encode()


def add_records(new, records, first):
    """Put run records into an open file that was laid out with room for them, from row `first`."""
    if len(records):
        new[schema.RUNS.path][first:first + len(records)] = records


def makers_of(results):
    """Facts of every program that wrote numbers into a file, as `provenance.differences` takes.

    Returns
    -------
    list of dict
    """
    created, makers = results.provenance, []
    if not MERGED.items() <= created.items():
        makers.append(created)
    for run in results.runs:
        libraries = (item.split(" ", 1) for item in run.get("libraries", "").split(", ") if item)
        facts = run | dict(libraries)
        makers.append({name: value for name, value in facts.items() if value != ""})
    return makers


def version_notes(makers):
    """In what the programs that made several files differ.

    Parameters
    ----------
    makers : list of (Path, list of dict)
        For each file the facts of all programs that wrote into it.

    Returns
    -------
    list of str
        One phrase per version that is not the same everywhere, and one for changes to the source
        that were not committed; empty if the same program made everything.
    """
    found = []
    for name in _NAMES:
        where = {}
        for path, facts in makers:
            for value in (maker[name] for maker in facts if name in maker):
                where.setdefault(value[:12] if name == "commit" else value, path.name)
        if len(where) > 1:
            label = {"version": "hpc_cr"}.get(name, name)
            each = ", ".join(f"{value} in {path}" for value, path in where.items())
            found.append(f"made with {label} {each}")
    dirty = [path.name for path, facts in makers if any(f.get("dirty") == 1 for f in facts)]
    if dirty:
        more = f" and {len(dirty) - 1} more" if len(dirty) > 1 else ""
        found.append(f"{dirty[0]}{more}: made with changes to the source that are not committed")
    return found
