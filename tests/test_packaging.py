"""What sites build from: conda environment, Apptainer definition, source archive, and their page.

setup.cfg, tools/setup.sh and the Makefile say what is installed; the others must not drift away.
Each comparison is a function that lists what disagrees: the tests call it on the repository's
files, where it must find nothing, and on copies with one change, where it must find that one.
"""

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from mpi.launch import JOB, differing

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = (ROOT / "tools" / "environment.yml").read_text()
DEFINITION = (ROOT / "tools" / "apptainer.def").read_text()
SETUP_CFG = (ROOT / "setup.cfg").read_text()
SETUP_SH = (ROOT / "tools" / "setup.sh").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
PAGE = (ROOT / "hpc_cr" / "docs" / "site-builds.md").read_text()

CONDA_NAMES = {"matplotlib": "matplotlib-base"}   # without the desktop's toolkits
CONDA_ONLY = {"python", "openmpi", "pip", "pip:", "setuptools"}
DEBIAN_PYTHON = {"12": (3, 11), "13": (3, 13)}    # https://packages.debian.org/python3


# ---- what the files say ---------------------------------------------------------------------


def requirements(setup_cfg):
    """Name and bounds of everything setup.cfg asks for, tests and Python included."""
    cfg = configparser.ConfigParser()
    cfg.read_string(setup_cfg)
    lines = (cfg["options"]["install_requires"] + cfg["options.extras_require"]["test"]).split()
    found = {re.match(r"[\w-]+", line)[0]: re.sub(r"^[\w-]+", "", line) for line in lines}
    return found | {"python": cfg["options"]["python_requires"]}


def conda_packages(environment):
    """Name, bounds and build string of every package of an environment file."""
    found = {}
    for line in environment.partition("\ndependencies:\n")[2].splitlines():
        words = line.partition("#")[0].split()
        if words:
            assert words[0] == "-" and 2 <= len(words) <= 4, line
            found[words[1]] = (*words[2:], "", "")[:2]
    return found


def section(definition, name):
    """The lines of one section of an Apptainer definition, without comments."""
    text = re.search(rf"^%{name}\n(.*?)(?=^%|\Z)", definition, flags=re.S | re.M)[1]
    return [line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] != "#"]


def apt_packages(setup_sh):
    """What set-up would install by apt where there is nothing: setup.sh's own function is asked."""
    nothing = 'PYTHON= MPICC= H5_LIB= MPI_NAME= serial=0; command() { return 1; }'
    assert setup_sh.endswith("\nmain\n")
    script = setup_sh.removesuffix("main\n") + f"{nothing}; missing_packages"
    done = subprocess.run(["bash", "-c", script, ROOT / "tools" / "setup.sh"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def blocks(language):
    """Code blocks of the page, in order; those in sh are run here, those in bash only shown."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.S | re.M)


# ---- what must agree ------------------------------------------------------------------------


def conda_disagrees(environment, setup_cfg):
    """Packages whose bounds in the environment file are not those of setup.cfg."""
    wanted = {CONDA_NAMES.get(n, n): bounds for n, bounds in requirements(setup_cfg).items()}
    wanted["setuptools"] = re.search(r"setuptools(>=\d+)", (ROOT / "pyproject.toml").read_text())[1]
    there = conda_packages(environment)
    wrong = [name for name, bounds in wanted.items() if there.get(name, ("none",))[0] != bounds]
    return wrong + [name for name in there if name not in wanted and name not in CONDA_ONLY]


def image_disagrees(definition, makefile):
    """In what the image is not set up as a checkout is.

    The definition must leave MPI, HDF5 and Python's packages to `make setup`: what it named itself
    could drift away from the versions that were tested together.
    """
    wrong = []
    post = section(definition, "post")
    if "make setup" not in post or not re.search(r"^setup:.*\n\t@tools/setup.sh$", makefile, re.M):
        wrong.append("%post does not call make setup")
    for line in post:
        for word in shlex.split(line, comments=True):
            if re.search(r"\bmpi|openmpi|mpich|hdf5|h5py|numpy|^python3|^pip$", word):
                wrong.append(f"%post itself names {word}")
    return wrong


def page_disagrees(page, setup_cfg, setup_sh):
    """Bounds and Debian packages on the page that are not those of setup.cfg and setup.sh."""
    bounds = requirements(setup_cfg)
    wrong = [
        f"{name}{there}"
        for name, there in re.findall(r"'([\w-]+)(>=[\w.,<]+)'", page)
        if name in bounds and there != bounds[name]
    ]
    build_tools = re.findall(r"'((?:setuptools|cython)[<>=\d.,]+)'", page)
    wrong += [f"'{tool}'" for tool in build_tools if f"'{tool}'" not in setup_sh]
    (line,) = re.findall(r"^apt-get install --no-install-recommends (.*)$", page, flags=re.M)
    if line.split() != apt_packages(setup_sh):
        wrong.append(line)
    return wrong


def base_disagrees(definition, setup_cfg):
    """Debian bases, in the definition's text, whose Python setup.cfg does not allow."""
    bounds = re.fullmatch(r">=([\d.]+),<([\d.]+)", requirements(setup_cfg)["python"])
    low, high = (tuple(map(int, bound.split("."))) for bound in bounds.groups())
    bases = re.findall(r"base=debian:(\d+)-slim", definition)
    return [base for base in bases if not low <= DEBIAN_PYTHON[base] < high] if bases else ["none"]


# ---- tests ----------------------------------------------------------------------------------


def test_conda_environment_has_the_bounds_of_setup_cfg():
    assert conda_disagrees(ENVIRONMENT, SETUP_CFG) == []


@pytest.mark.parametrize("name", sorted(requirements(SETUP_CFG)))
def test_a_changed_bound_is_seen(name):
    """Control: a bound raised in setup.cfg, a line dropped from the environment file."""
    bounds = requirements(SETUP_CFG)[name]
    line = f"python_requires = {bounds}" if name == "python" else f"    {name}{bounds}\n"
    assert line in SETUP_CFG
    changed = SETUP_CFG.replace(line, line.replace(bounds, ">=99.9"))
    conda = CONDA_NAMES.get(name, name)
    assert conda_disagrees(ENVIRONMENT, changed) == [conda]
    dropped = re.sub(rf"^ +- {conda}\b(?!-).*\n", "", ENVIRONMENT, flags=re.M)
    assert conda_disagrees(dropped, SETUP_CFG) == [conda]


def test_conda_packages_share_one_mpi():
    there = conda_packages(ENVIRONMENT)
    assert there["h5py"][1] == "mpi_openmpi_*"   # without it conda takes the build without MPI
    assert {"openmpi", "mpi4py"} <= there.keys()
    assert conda_disagrees(ENVIRONMENT + "  - mpich\n", SETUP_CFG) == ["mpich"]


def test_image_is_set_up_as_a_checkout_is():
    assert image_disagrees(DEFINITION, MAKEFILE) == []


@pytest.mark.parametrize(
    "old, new, complaint",
    [
        ("make setup", "true", "%post does not call make setup"),
        ("git make", "git make libhdf5-mpich-dev", "%post itself names libhdf5-mpich-dev"),
        ("make setup", "make setup\n    pip install 'numpy==2.4'", "%post itself names numpy==2.4"),
    ],
)
def test_an_image_of_its_own_ways_is_seen(old, new, complaint):
    assert old in DEFINITION
    head, post = DEFINITION.split("%post\n")
    assert complaint in image_disagrees(f"{head}%post\n{post.replace(old, new)}", MAKEFILE)


def test_bases_bring_a_python_that_setup_cfg_allows():
    assert base_disagrees(DEFINITION, SETUP_CFG) == []
    assert base_disagrees(DEFINITION, SETUP_CFG.replace(">=3.11,<3.15", ">=3.12,<3.15")) == ["12"]


def test_sections_of_the_definition_are_sound_shell():
    for name in ("post", "environment", "runscript", "test"):
        script = "\n".join(section(DEFINITION, name))
        done = subprocess.run(["sh", "-n", "-c", script], capture_output=True, text=True)
        assert done.returncode == 0, f"%{name}: {done.stderr}"
    assert section(DEFINITION, "runscript") == ['exec hpc-cr "$@"']


# ---- the page -------------------------------------------------------------------------------


def shell(text, folder, timeout=300, **env):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-e", "-c", text], cwd=folder, timeout=timeout,
                          env=os.environ | {"PATH": path, "PIP_NO_INPUT": "1"} | env,
                          capture_output=True, text=True)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def tree(tmp_path):
    """A copy of the source tree without what was built or computed in it."""
    left_out = shutil.ignore_patterns(".venv", ".git", "results", "__pycache__", "*.egg-info",
                                      "build", "dist", ".pytest_cache", ".ruff_cache")
    return shutil.copytree(ROOT, tmp_path / "tree", symlinks=True, ignore=left_out)


def test_page_has_the_bounds_of_setup_cfg():
    assert page_disagrees(PAGE, SETUP_CFG, SETUP_SH) == []
    raised = SETUP_CFG.replace("numpy>=2.0,<2.5", "numpy>=2.0,<2.6")
    assert page_disagrees(PAGE, raised, SETUP_SH) == ["numpy>=2.0,<2.5"]
    (line,) = page_disagrees(PAGE, SETUP_CFG, SETUP_SH.replace("hdf5-openmpi-dev", "hdf5-dev"))
    assert "libhdf5-openmpi-dev" in line


@pytest.mark.mpi
def test_checks_of_the_page(tmp_path):
    (tmp_path / "tools").symlink_to(ROOT / "tools")
    told = shell(blocks("sh")[1], tmp_path)
    # mpirun may mix the words of the two ranks
    sizes = re.findall(r"(\d+) Open MPI v", told)
    assert "HDF5 1." in told and told.count(" Open MPI v") == 2 and set("".join(sizes)) == {"2"}
    # without a launcher the third says what a foreign launcher leads to
    alone = subprocess.run([sys.executable, "tools/check_parallel.py", "alone.h5"], cwd=tmp_path,
                           capture_output=True, text=True, timeout=60)
    assert alone.returncode == 1 and "every rank believes it is alone" in alone.stderr


@pytest.mark.slow
@pytest.mark.mpi
def test_settings_of_the_page_do_not_change_numbers(tmp_path):
    """Shared memory elsewhere, teams, and the other file layer of MPI: the same bits."""
    (tmp_path / "my.toml").write_text(JOB)
    shell(blocks("sh")[2], tmp_path)
    layer = re.findall(r"MCA io: (romio\d+)", shell("ompi_info", tmp_path))
    assert layer == ["romio321"] or "4.1" not in shell("mpirun --version", tmp_path)
    shell(blocks("sh")[3].replace("romio321", layer[0]), tmp_path)
    one, *others = (tmp_path / f"{name}.h5" for name in ("alone", "team", "romio"))
    assert all(differing(one, other) == [] for other in others)


@pytest.mark.slow
@pytest.mark.mpi
def test_build_by_hand(tree, tmp_path):
    """The page's build of h5py from source, its checks, and a run with the result."""
    if not Path("/usr/lib/x86_64-linux-gnu/hdf5/openmpi").is_dir():
        pytest.skip("the page's HDF5_DIR is Debian's")
    build, checks = blocks("sh")[:2]
    (tree / "my.toml").write_text(JOB)
    told = shell(f"{build}\n{checks}\nmpirun -q -n 2 hpc-cr run my.toml -o built.h5\nhpc-cr jobs",
                 tree, timeout=1500)
    assert "quickstart" in told
    shell("hpc-cr run my.toml -o here.h5", tree)
    assert differing(tree / "built.h5", tree / "here.h5") == []


# ---- the source archive ---------------------------------------------------------------------


def left_out_of_archive(tree):
    """What the tree ships (modules, pages, jobs, batch scripts) and its source archive lacks."""
    script = "import setuptools.build_meta as b; print(b.build_sdist('dist'))"
    archive = tree / "dist" / shell(f'python -c "{script}"', tree).split()[-1]
    with tarfile.open(archive) as content:
        there = {name.partition("/")[2] for name in content.getnames()}
    wanted = [file.relative_to(tree) for file in (tree / "hpc_cr").rglob("*")]
    wanted += [Path("hpc_cr") / file.relative_to(tree) for file in (tree / "jobs").rglob("*")]
    return [str(name) for name in wanted if name.suffix and str(name) not in there]


def test_archive_installs_what_a_checkout_has(tree, tmp_path):
    assert left_out_of_archive(tree) == []
    (archive,) = (tree / "dist").glob("*.tar.gz")
    target = tmp_path / "target"
    shell(f"pip install -q --no-deps --no-build-isolation --no-compile --no-index --target {target}"
          f" {archive}", tmp_path)
    for folder in ("docs", "jobs"):
        here = {file.relative_to(tree / "hpc_cr" / folder): file.read_bytes()
                for file in (tree / "hpc_cr" / folder).rglob("*") if file.is_file()}
        there = {file.relative_to(target / "hpc_cr" / folder): file.read_bytes()
                 for file in (target / "hpc_cr" / folder).rglob("*") if file.is_file()}
        assert there == here and len(here) > 10
    told = shell("python -P -m hpc_cr jobs", tmp_path, PYTHONPATH=str(target))
    assert "quickstart" in told


def test_a_folder_that_is_not_packed_is_seen(tree):
    """Control: without its line in setup.cfg the profiles of the batch scripts are missing."""
    text = (tree / "setup.cfg").read_text()
    assert "    jobs/slurm/profiles/*\n" in text
    (tree / "setup.cfg").write_text(text.replace("    jobs/slurm/profiles/*\n", ""))
    assert "hpc_cr/jobs/slurm/profiles/conda.sh" in left_out_of_archive(tree)
