"""The jobs that come with the program."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "jobs"
"""In a checkout a link to jobs/ beside the package, in an installed package a folder of its own."""


def shipped_jobs():
    """Paths of the shipped job files by name, in alphabetical order with quickstart first.

    Returns
    -------
    dict
        Name without suffix -> Path.
    """
    paths = sorted(FOLDER.glob("*.toml"), key=lambda path: (path.stem != "quickstart", path.stem))
    return {path.stem: path for path in paths}


def description(path):
    """First comment line of a job file, without its sign; empty if there is none."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("#"):
                return line.lstrip("# ").rstrip()
            if line.strip():
                break
    return ""
