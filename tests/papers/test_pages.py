"""Every command and program of the pages about papers, detectors and data, on small results.

The pages use the result files of shipped jobs, called like the jobs. Here those are the same jobs
with few particles on coarse grids, so that everything a command needs is there and only its
numbers mean nothing.
"""

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
}
"""Shipped jobs that the pages name, and what else makes them small."""
PAGES = ("mertsch_funk2015", "giacinti_sigl2012", "tev_to_pev", "detector", "measurements",
         "galactic_field", "diffusion", "single_source", "kachelriess2018")


def run(command, folder):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-e", "-c", command], cwd=folder, capture_output=True, text=True,
                          env=os.environ | {"PATH": path}, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with a small result of every job that a page names."""
    place = tmp_path_factory.mktemp("pages")
    for name, settings in OF_JOB.items():
        job = shipped_jobs()[name]
        run(f"hpc-cr run {job} -o {name}.h5 {edits(job, settings)}", place)
    return place


def edits(job, settings=()):
    """Options that make a job file's job small."""
    kind = load_job(job).run.kind
    return " ".join(f"--set '{setting}'" for setting in (*SMALL[kind], *settings))


def in_one_process(together, folder):
    """Run commands of hpc-cr one after the other, and forget them."""
    if together:
        done = subprocess.run([sys.executable, "-c", IN_ONE_PROCESS], input=json.dumps(together),
                              cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{together}\n{done.stdout}\n{done.stderr}"
        together.clear()


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


IN_ONE_PROCESS = """
import json, sys
from hpc_cr.cli.main import run
for words in json.load(sys.stdin):
    assert run(words) == 0, words
"""


@pytest.mark.parametrize("page", PAGES)
def test_page(page, folder):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for name, job in re.findall(r"```toml\n(# (?=\S+\.toml\n)|)(.*?)```", text, flags=re.S):
        if name:  # a job file that a reader is to save under the name in its first line
            (folder / job.split("\n")[0]).write_text(job.split("\n", 1)[1], encoding="utf-8")
    together, ran = [], 0
    for command, words in commands(text):
        if words[:3] == ["hpc-cr", "data", "update"] or words[0] == "pip":
            continue  # needs a network
        if "run" in words:
            job = Path(words[words.index("run") + 1]).stem
            if (folder / f"{job}.h5").exists():
                continue
            command = command.split("  #")[0] + f" {edits(folder / f'{job}.toml')}"
        ran += 1
        if words[0] == "hpc-cr" and "run" not in words and not set(words) & {"|", ">"}:
            together.append(words[1:])  # what starts quickly need not start again and again
        else:
            in_one_process(together, folder)
            run(command, folder)
    in_one_process(together, folder)
    assert ran
    for number, program in enumerate(re.findall(r"```python\n(.*?)```", text, flags=re.S)):
        (folder / f"{page}-{number}.py").write_text(program, encoding="utf-8")
        assert run(f"python {page}-{number}.py", folder)


@pytest.mark.parametrize("page", PAGES)
def test_pictures_are_there(page):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert (DOCS / picture).stat().st_size < 300_000
