"""Batch scripts for SLURM: one file each, made of the ready ones in jobs/slurm.

A ready script sources common.sh and a profile beside it. The script that `hpc-cr submit` writes
holds their text instead, so that it can be read, edited and submitted anywhere.
"""

import hashlib
import re
import shlex
from pathlib import Path

import click

from hpc_cr.config.errors import nearest
from hpc_cr.config.shipped import FOLDER

SCRIPTS = FOLDER / "slurm"
_STAMP = "# Written by hpc-cr submit"


def profiles():
    """Paths of the shipped profiles by name (dict of str to Path)."""
    return {path.stem: path for path in sorted((SCRIPTS / "profiles").glob("*.sh"))}


def profile_text(name):
    """Text of a profile: the name of a shipped one, or a file of the user's.

    Raises
    ------
    click.UsageError
        There is neither.
    """
    known = profiles()
    path = known.get(name, Path(name))
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        guess = nearest(name, known)
        hint = f"did you mean {guess}?" if guess else f"there are {', '.join(known)}"
        raise click.UsageError(
            f"--profile {name}: no such profile or readable file; {hint}"
        ) from None


def compose(ready, options, words, environment, settings=()):
    """Text of a batch script.

    Parameters
    ----------
    ready : str
        Name of a ready script, such as "many-nodes".
    options : dict of str to (str or None)
        Options of sbatch, such as {"--nodes": "2", "--requeue": ""}, in place of the ready
        script's own or after them; None takes one out.
    words : sequence of str
        What stands on the command line of the ready script.
    environment : str
        Shell text that loads the program, such as a profile.
    settings : sequence of str
        Lines of shell text that go before all that.

    Returns
    -------
    str
    """
    text = (SCRIPTS / f"{ready}.sbatch").read_text(encoding="utf-8")
    header, body = _parts(text)
    # the words come last: a file that a profile sources must not take them for its own
    loads = f"{environment.strip()}\n\nset -- {shlex.join(words)}\n"
    body = body.replace("load_profile\n", loads, 1)
    common = (SCRIPTS / "common.sh").read_text(encoding="utf-8")
    # whoever reads this script has no other files, and no choice of profiles any more
    common = common[common.index("# Variables"):]
    common = re.sub(r"\n# ---- profile\n.*?\n(?=# ---- )", "\n", common, count=1, flags=re.S)
    lines = [*_directives(header, options), "", *settings, "", common.strip(), "",
             "# ---- this job", "", body.strip()]
    return stamped("\n".join(lines) + "\n")


def _parts(text):
    """The #SBATCH lines of a ready script, and what follows where it has sourced common.sh."""
    header = [line for line in text.splitlines() if line.startswith("#SBATCH ")]
    _, found, body = text.partition('. "$place/common.sh" || exit 2\n')
    if not (header and found and "load_profile\n" in body):
        raise ValueError("a ready script without #SBATCH lines, common.sh or load_profile")
    return header, body


def _directives(header, options):
    """#SBATCH lines with the options put in."""
    options = dict(options)
    lines = []
    for line in header:
        name, sign, value = line.removeprefix("#SBATCH ").partition("=")
        value = options.pop(name, value if sign else "")
        if value is not None:
            lines.append(_directive(name, value))
    return lines + [_directive(name, value) for name, value in options.items() if value is not None]


def _directive(name, value):
    """sbatch takes quotes as a shell does, but double ones only in all its versions."""
    if re.search(r"\s", value):
        value = f'"{value}"'
    return f"#SBATCH {name}={value}" if value else f"#SBATCH {name}"


def stamped(text):
    """The script with a first line of its own that holds its checksum."""
    return f"#!/bin/bash\n{_STAMP} ({_checksum(text)})\n{text}"


def is_untouched(path):
    """Whether a file is a script of `hpc-cr submit` that nobody has edited since."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    match = re.match(rf"#!/bin/bash\n{_STAMP} \((\w+)\)\n", text)
    return match is not None and match[1] == _checksum(text[match.end():])


def _checksum(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def check(path):
    """Refuse a path where a file of the user's is.

    Raises
    ------
    click.UsageError
        The file exists and was written or edited by hand.
    """
    if Path(path).exists() and not is_untouched(path):
        raise click.UsageError(
            f"{path} exists and was written or edited by hand: sbatch {path} submits it as it is,"
            " --script names another file"
        )


def write(path, text):
    """Write a script that `check` allows; a file that cannot be written is a click.UsageError."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{path}: cannot be written: {error.strerror}") from None
