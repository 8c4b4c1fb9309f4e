"""Set-up: the Makefile, the scripts behind it, and what an installed package holds.

The set-up itself runs before the tests (`make test`); here its decisions are checked, with
machines played by folders of commands and by prefixes that look like an HDF5.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hpc_cr

ROOT = Path(hpc_cr.__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(
    not (ROOT / "Makefile").exists(), reason="installed without the source tree"
)

MPI_COMMANDS = re.compile(r"mpi(cc|run|exec).*|h5p?cc.*|orterun|srun")
HDF5_VARIABLES = ("HDF5_DIR", "HDF5_ROOT", "HDF5_HOME", "HDF5_INCLUDEDIR", "HDF5_LIBDIR")
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "results", "__pycache__", "*.egg-info", "build")


def call(*command, cwd=ROOT, **env):
    """Run a command with the variables of an outer make and MPI job removed."""
    clean = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("MAKE", "MFLAGS", "HPC_CR_", "OMPI_", "PMIX_", "CONDA_"))
        and k not in (*HDF5_VARIABLES, "N", "JOB", "OUT", "ARGS", "PYTHONPATH")
    }
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=clean | {k: str(v) for k, v in env.items()},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def tree(tmp_path):
    """A copy of the source tree without its environment."""
    copy = tmp_path / "tree"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=LEFT_OUT)
    return copy


@pytest.fixture
def path_without_mpi(tmp_path):
    """A PATH with everything that is on this machine's PATH but MPI and HDF5."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*") if Path(place).is_dir() else ():
            link = folder / program.name
            if not MPI_COMMANDS.fullmatch(program.name) and not link.is_symlink():
                link.symlink_to(program)
    return folder


def fake_command(folder, name, text):
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return folder


def fake_hdf5(prefix, parallel):
    for folder in ("include", "lib"):
        (prefix / folder).mkdir(parents=True)
    line = "#define H5_HAVE_PARALLEL 1" if parallel else "/* #undef H5_HAVE_PARALLEL */"
    (prefix / "include/H5pubconf.h").write_text(line + "\n")
    (prefix / "include/H5public.h").write_text(
        '#define H5_VERS_INFO "HDF5 library version: 1.14.5"\n'
    )
    (prefix / "lib/libhdf5.so").touch()
    return prefix


# ---- Makefile -------------------------------------------------------------------------------


def test_make_alone_lists_the_targets():
    told = call("make", "--no-print-directory")
    assert told.returncode == 0
    assert told.stdout == call("make", "--no-print-directory", "help").stdout
    listed = set(re.findall(r"^ +make (\S+)", told.stdout, flags=re.M))
    phony = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), flags=re.M)
    assert listed == set(phony[1].split())
    assert listed >= {"help", "setup", "run", "test", "test-slow", "lint", "clean"}


def test_make_run_sets_up_then_runs_then_draws():
    lines = call("make", "--no-print-directory", "-n", "run", "N=3").stdout.splitlines()
    order = ["tools/setup.sh", "mkdir", "tools/mpirun.sh 3 .venv/bin/hpc-cr run", "figure"]
    assert len(lines) == len(order)
    assert all(word in line for word, line in zip(order, lines, strict=True))
    assert "jobs/quickstart.toml -o results/quickstart.h5 --resume" in lines[2]


def test_ci_runs_the_test_command():
    text = (ROOT / ".ci/run").read_text()
    assert "set -e" in text and text.rstrip().endswith("\nmake test")


# ---- looking for MPI and HDF5 ---------------------------------------------------------------


def found(**env):
    script = '. tools/find_mpi.sh; find_mpi; echo "$MPI_NAME|$H5_LIB|$H5_VERSION"'
    return call("bash", "-c", script, **env).stdout.strip().split("|")


def test_finds_the_hdf5_that_is_named_and_parallel(tmp_path):
    prefix = fake_hdf5(tmp_path / "parallel", parallel=True)
    for variable in ("HDF5_DIR", "HDF5_ROOT", "CONDA_PREFIX"):
        path = os.environ["PATH"]
        if variable == "CONDA_PREFIX":   # h5pcc on PATH would come before it
            path = f"{fake_command(tmp_path / 'bin', 'h5pcc', 'exit 1')}:{path}"
        assert found(**{variable: prefix, "PATH": path})[1:] == [f"{prefix}/lib", "1.14.5"]


def test_h5pcc_tells_the_place(tmp_path):
    prefix = fake_hdf5(tmp_path / "module", parallel=True)
    folder = fake_command(tmp_path / "bin", "h5pcc", f"echo '  Installation point: {prefix}'")
    assert found(PATH=f"{folder}:{os.environ['PATH']}")[1] == f"{prefix}/lib"


def test_serial_hdf5_is_not_taken(tmp_path):
    prefix = fake_hdf5(tmp_path / "serial", parallel=False)
    assert found(HDF5_DIR=prefix)[1] != f"{prefix}/lib"


def test_mpi_flavour_comes_from_mpirun(tmp_path):
    for text, name in [
        ("mpirun (Open MPI) 5.0.3", "openmpi-5.0.3"),
        ("HYDRA build details:\n    Version: 4.2.1", "mpich-4.2.1"),
    ]:
        folder = fake_command(tmp_path / "bin", "mpirun", f"echo '{text}'")
        assert found(PATH=f"{folder}:{os.environ['PATH']}")[0] == name


def test_without_mpi_one_paragraph_says_what_to_load(tree, path_without_mpi):
    told = call(
        "bash", "tools/setup.sh", cwd=tree,
        PATH=path_without_mpi, HPC_CR_APT=0, HPC_CR_PYTHON=sys.executable,
    )  # fmt: skip
    assert told.returncode != 0
    paragraph = told.stderr.strip()
    assert "\n\n" not in paragraph and len(paragraph) < 1000
    for word in ("MPI", "parallel HDF5", "module load", "conda", "HPC_CR_SERIAL=1"):
        assert word in paragraph
    assert not (tree / ".venv/bin").exists()   # it stops before it fetches anything


def test_without_python_it_says_so(tree, path_without_mpi):
    told = call(
        "bash", "tools/setup.sh", cwd=tree,
        PATH=path_without_mpi, HPC_CR_APT=0, HPC_CR_PYTHON="python-none", HPC_CR_SERIAL=1,
    )  # fmt: skip
    assert told.returncode != 0
    assert "a Python from 3.11" in told.stderr and "(mpirun and mpicc" not in told.stderr


# ---- running --------------------------------------------------------------------------------


def launched(tmp_path, n, version="4.1.4"):
    folder = fake_command(
        tmp_path / "bin", "mpirun",
        f'case "$1" in --version) echo "mpirun (Open MPI) {version}";; *) env;; esac',
    )  # fmt: skip
    told = call(
        "tools/mpirun.sh", n, "hpc-cr", "run",
        PATH=f"{folder}:{os.environ['PATH']}", OMP_NUM_THREADS=7,
    )  # fmt: skip
    assert told.returncode == 0
    first, *rest = told.stdout.splitlines()
    return first, dict(line.split("=", 1) for line in rest if "=" in line)


def test_ranks_yield_only_where_cores_are_shared(tmp_path):
    cores = len(os.sched_getaffinity(0))
    line, env = launched(tmp_path, 1)
    assert line.endswith("mpirun -q --bind-to none -n 1 hpc-cr run")
    assert env["OMP_NUM_THREADS"] == env["NUMBA_NUM_THREADS"] == "1"
    assert "OMPI_MCA_rmaps_base_oversubscribe" not in env
    assert ("OMPI_ALLOW_RUN_AS_ROOT" in env) == (os.geteuid() == 0)
    line, env = launched(tmp_path, cores + 1)
    assert env["OMPI_MCA_rmaps_base_oversubscribe"] == "1"
    assert env["OMPI_MCA_mpi_yield_when_idle"] == "1"
    assert "OMPI_MCA_mpi_yield_when_idle=1" in line


def test_open_mpi_5_is_called_in_its_own_words(tmp_path):
    """It refuses -q, and does not look at OMPI_MCA_rmaps_base_oversubscribe (tried with 5.0.7)."""
    cores = len(os.sched_getaffinity(0))
    line, env = launched(tmp_path, cores + 1, "5.0.7")
    assert line.endswith(f"mpirun --bind-to none -n {cores + 1} hpc-cr run")
    assert env["PRTE_MCA_rmaps_default_mapping_policy"] == ":oversubscribe"
    assert "OMPI_MCA_rmaps_base_oversubscribe" not in env
    line, env = launched(tmp_path, 1, "5.0.7")
    assert "PRTE_MCA_rmaps_default_mapping_policy" not in env


# ---- the package ----------------------------------------------------------------------------


def test_pyproject_only_names_the_build_system():
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    assert len(lines) == 3 and lines[0] == "[build-system]"


def test_versions_agree():
    told = call(sys.executable, "-m", "hpc_cr", "--version")
    assert told.returncode == 0 and hpc_cr.__version__ in told.stdout
    assert f"\nversion: {hpc_cr.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## [{hpc_cr.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_import_is_light():
    script = (
        "import sys, hpc_cr; "
        "print([m for m in ('numpy', 'numba', 'h5py', 'mpi4py') if m in sys.modules])"
    )
    assert call(sys.executable, "-c", script).stdout.strip() == "[]"


def test_public_names_load():
    for name in hpc_cr.__all__:
        assert getattr(hpc_cr, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hpc_cr.nothing  # noqa: B018


def test_plain_install_holds_the_jobs(tree, tmp_path):
    pytest.importorskip("setuptools")
    target = tmp_path / "target"
    told = call(
        sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation",
        "--no-compile", "--no-index", "--target", target, tree,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    shipped = {p.name: p.read_bytes() for p in (target / "hpc_cr/jobs").glob("*.toml")}
    assert shipped == {p.name: p.read_bytes() for p in (ROOT / "jobs").glob("*.toml")}
    assert "quickstart.toml" in shipped
    # every module of the tree is there: a folder without __init__.py would be left out
    for module in (ROOT / "hpc_cr").rglob("*.py"):
        assert (target / module.relative_to(ROOT)).exists(), module

    script = target / "bin/hpc-cr"
    told = call(sys.executable, script, "--version", cwd=tmp_path, PYTHONPATH=target)
    assert told.returncode == 0 and hpc_cr.__version__ in told.stdout
    told = call(sys.executable, script, "jobs", cwd=tmp_path, PYTHONPATH=target)
    assert told.returncode == 0 and "quickstart" in told.stdout
