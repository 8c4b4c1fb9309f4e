"""Every command and program of the pages about papers, detectors and data, on small results.

The pages use the result files of shipped jobs, called like the jobs. Here those are the same jobs
with few particles on coarse grids, so that everything a command needs is there and only its
numbers mean nothing.
"""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from hpc_cr.config import load_job
from hpc_cr.config.shipped import shipped_jobs

DOCS = Path(__file__).resolve().parents[2] / "hpc_cr" / "docs"
COARSE = ["run.realisations=3", "grids.cells=24", "grids.periods=2"]
SMALL = {
    "anisotropy": [*COARSE, "particles.nside=4", "output.l_max=6"],
    "diffusion": [*COARSE, "particles.count=40", "boundary.times=[0.5, 1, 2, 4]"],
    "source": [*COARSE, "particles.count=100"],
    "escape": ["run.realisations=2", *COARSE[1:], "particles.count=12",
               """turbulence.inner_scale="2 pc\"""",
               """particles.rigidities=["5 PV", "30 PV", "100 PV"]"""],
    "galaxy": ["halo.cells=[16, 12]", "energies.count=8"],
}
"""Settings by kind of job that make it small."""
TIMES = """boundary.times=["0.1 pc", "0.2 pc", "0.4 pc"]"""
OF_JOB = {
    "mertsch_funk2015": [TIMES],
    "giacinti_sigl2012": [],
    "tev_to_pev": [TIMES],
    "turbulence_levels": [TIMES],
    "diffusion_levels": ["field_lines.count=3"],
    "diffusion_convergence": ["""boundary.times=["1 pc", "2 pc", "4 pc", "8 pc"]"""],
    "escape": [],
    "kachelriess2018": ["field_lines.count=2",
                        """particles.rigidities=["1 PV", "3 PV", "10 PV"]"""],
    "single_source": ["particles.count=30", """particles.rigidities=["30 PV", "100 PV"]""",
                      """boundary.times=["50 pc", "200 pc"]"""],
    "geminga_lrmf": [],
    "evoli2012": ["nuclei.species=['H1', 'He4', 'B10', 'B11', 'C12', 'O16']"],
    "prediction": [TIMES, "grids.levels='auto'", "grids.cells=64"],
}
"""Shipped jobs that the pages name, and what else makes them small."""
PAGES = ("mertsch_funk2015", "giacinti_sigl2012", "tev_to_pev", "detector", "measurements",
         "galactic_field", "diffusion", "single_source", "kachelriess2018", "galaxy",
         "geminga_lrmf", "evoli2012")


STEPS = """
import contextlib, json, os, runpy, subprocess, sys
import healpy
from hpc_cr.cli.main import main, run
from hpc_cr.sources import supernovae
import hpc_cr.anisotropy.observables, hpc_cr.fields, hpc_cr.trajectories  # nothing that starts MPI

supernovae.SETS = 2

def program(file):
    with open(file + ".out", "w") as out, contextlib.redirect_stdout(out):
        runpy.run_path(file, run_name="__main__")
    assert os.path.getsize(file + ".out")

def apart(act, *arguments):
    child = os.fork()
    if not child:
        act(*arguments)
        sys.exit()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for how, step in json.load(sys.stdin):
    sys.argv[1:] = step if how == "hpc-cr run" else []
    status = {"hpc-cr": run, "hpc-cr run": lambda words: apart(main),
              "program": lambda file: apart(program, file),
              "shell": lambda text: subprocess.call(["bash", "-e", "-c", text])}[how](step)
    if status != 0:
        sys.exit(f"{how} {step}: {status}")
"""
"""What a page shows, in one process that imports everything once. Jobs (MPI starts once in a
process) and programs run in copies of it."""


def follow(steps, folder):
    """Take the steps (how, words or text) of `STEPS` in a folder."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run([sys.executable, "-c", STEPS], input=json.dumps(steps), cwd=folder,
                          env=os.environ | {"PATH": path}, capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with a small result of every job that a page names."""
    place = tmp_path_factory.mktemp("pages")
    jobs = [(name, shipped_jobs()[name], settings) for name, settings in OF_JOB.items()]
    for handed in (False, True):  # jobs that take a gradient from another's result come last
        with contextlib.chdir(place):
            follow([("hpc-cr run", ["run", str(job), "-o", f"{name}.h5", *edits(job, settings)])
                    for name, job, settings in jobs
                    if ("\nfrom =" in job.read_text(encoding="utf-8")) == handed], place)
    return place


def edits(job, settings=()):
    """Options that make a job file's job small."""
    small = (*SMALL[load_job(job).run.kind], *settings)
    return [word for setting in small for word in ("--set", setting)]


def commands(text):
    """Commands of a page's sh blocks, one at a time, over as many lines as they have."""
    command = ""
    blocks = "".join(re.findall(r"```sh\n(.*?)```", text, flags=re.S)).replace("\\\n", " ")
    for line in blocks.splitlines():
        command = f"{command}\n{line}".lstrip("\n")
        try:
            words = shlex.split(command, comments=True)
        except ValueError:
            continue  # an open quote
        if words:
            yield command, words
        command = ""
    assert not command


@pytest.mark.parametrize("page", PAGES)
def test_page(page, folder):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for name, job in re.findall(r"```toml\n(# (?=\S+\.toml\n)|)(.*?)```", text, flags=re.S):
        if name:  # a job file that a reader is to save under the name in its first line
            (folder / job.split("\n")[0]).write_text(job.split("\n", 1)[1], encoding="utf-8")
    steps = []
    for command, words in commands(text):
        if words[:3] == ["hpc-cr", "data", "update"] or words[0] == "pip":
            continue  # needs a network
        if "run" in words:
            job = Path(words[words.index("run") + 1]).stem
            out = words[words.index("-o") + 1] if "-o" in words else f"{job}.h5"
            if (folder / out).exists():
                continue
            path = shipped_jobs().get(job, folder / f"{job}.toml")
            if not path.exists():  # an earlier command writes it
                follow(steps, folder)
                steps.clear()
            options = words[words.index("run") + 2 :]
            steps.append(("hpc-cr run", ["run", str(path), *options, *edits(path)]))
        elif words[0] == "hpc-cr" and not set(words) & {"|", ">"}:
            steps.append(("hpc-cr", words[1:]))
        else:
            steps.append(("shell", command))
    assert steps
    for number, program in enumerate(re.findall(r"```python\n(.*?)```", text, flags=re.S)):
        (folder / f"{page}-{number}.py").write_text(program, encoding="utf-8")
        steps.append(("program", f"{page}-{number}.py"))
    follow(steps, folder)


@pytest.mark.parametrize("page", PAGES)
def test_pictures_are_there(page):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert (DOCS / picture).stat().st_size < 300_000
