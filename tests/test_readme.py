"""Everything that README.md and the pages show is run, in the order in which it stands.

The pages' own commands run in an empty folder. Only the job is made smaller once `hpc-cr jobs`
has printed it (1 or 2 short realisations).
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "hpc_cr" / "docs"
SMALLER = [("realisations = 32", "realisations = 1"), ("nside\" = 16", "nside\" = 4"),
           ("nside\" = 8", "nside\" = 2"), ("l_max = 16", "l_max = 4"),
           ('["15 pc", "30 pc", "60 pc"]', '["1 pc", "2 pc", "3 pc"]'),
           ('["100 pc", "200 pc", "400 pc"]', '["2 pc", "4 pc", "6 pc"]')]


def blocks(page, language):
    """Code blocks of a page, in order."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the (smaller) job that the pages call my.toml, and its result."""
    place = tmp_path_factory.mktemp("pages")
    (place / ".venv").symlink_to(ROOT / ".venv")
    shell("hpc-cr jobs quickstart > my.toml", place)
    make_smaller(place / "my.toml")
    shell("hpc-cr run my.toml", place)
    return place


def shell(text, folder, timeout=300):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-e", "-c", text], cwd=folder, env=os.environ | {"PATH": path},
                          capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def make_smaller(job, realisations=1):
    text = job.read_text()
    for old, new in SMALLER:
        assert old in text, old
        text = text.replace(old, new)
    text = text.replace("realisations = 1\n", f"realisations = {realisations}\n")
    job.write_text(text)


@pytest.mark.mpi
def test_workstation_page(tmp_path):
    for block in blocks(DOCS / "workstation.md", "sh"):
        for line in block.splitlines():
            if line == "hpc-cr plan my.toml --ranks 2":
                make_smaller(tmp_path / "my.toml")
            shell(line, tmp_path)
    for product in ("my.h5", "my-dipole-map.png", "longitude.png", "smaller.h5"):
        assert (tmp_path / product).stat().st_size > 0


def test_python_page(folder):
    program = "\n".join(blocks(DOCS / "python.md", "python"))
    (folder / "page.py").write_text(program)
    printed = shell("python page.py", folder)
    assert "across the field" in printed and len(printed.splitlines()) >= 7


def test_cluster_page(folder, tmp_path):
    """What needs no SLURM; tests/slurm/test_batch.py runs all of it."""
    (tmp_path / "my.h5").symlink_to(folder / "my.h5")
    for line in "".join(blocks(DOCS / "cluster.md", "sh")).splitlines():
        if line.startswith("hpc-cr") and ("submit" not in line or "--dry-run" in line):
            shell(line, tmp_path)
        if "jobs quickstart" in line:
            make_smaller(tmp_path / "my.toml", realisations=2)
    assert (tmp_path / "my-timeline.png").exists() and (tmp_path / "both.h5").exists()
    done = shell("hpc-cr diff both.h5 half-1.h5", tmp_path)
    assert "the same to the last bit" in done, done


def test_readme_names_what_exists():
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\(([^)h][^)]*)\)", text):
        assert (ROOT / target).exists(), target
    commands, galaxy = blocks(ROOT / "README.md", "sh")
    page = (DOCS / "galaxy.md").read_text()  # whose commands tests/papers/test_pages.py runs
    for line in galaxy.splitlines():
        assert line.split("#")[0].strip() in page, line
    for line in commands.splitlines():
        shell("make -n " + line.split("#")[0].removeprefix("make"), ROOT)
    # the test command of the README is the one that continuous integration runs
    assert "make test" in commands and "make test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_of_the_pages(page):
    for target in re.findall(r"\]\(([^)#]+\.md)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target
