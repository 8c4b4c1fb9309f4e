"""Galaxy jobs: the same bits on any number of ranks and threads, and after an interruption.

No tolerance: datasets are compared as bytes. Three cases of each job: two share their solution of
the transport equation and differ in the local field; the third has its own. "separate" solves
every species and energy for itself, "network" all species of an energy, "coupled" everything
together.
"""

import os
import signal

import h5py
import pytest

from hpc_cr import open_results

from .launch import HPC_CR, begin_run, differing, done_entries, mpirun, run, run_job

pytestmark = pytest.mark.mpi

COMMON = """
[run]
kind = "galaxy"
[halo]
cells = [30, 20]
[diffusion]
model = "source-dependent"
[[case]]
name = "field"
set = { "local_field.direction" = [210.5, -57.1] }
[[case]]
name = "none"
[[case]]
name = "slower"
set = { "diffusion.coefficient" = "1e28 cm2/s" }
"""
JOBS = {
    "separate": COMMON + """
[nuclei]
species = ["H1", "Fe56"]
[injection]
flux = ["0.02 / (GeV m2 s sr)", "1e-5 / (GeV m2 s sr)"]
[energies]
count = 5
""",
    "network": COMMON + """
[nuclei]
species = ["H1", "B10", "B11", "Be10", "C12", "O16"]
network = true
[energies]
per_nucleon = ["1 GeV", "1 TeV"]
count = 5
""",
}
JOBS["coupled"] = JOBS["network"].replace(
    "network = true", "network = true\nionisation = true").replace(
    "[diffusion]", '[diffusion]\nalfven_speed = "10 km/s"\nwind = "5 km/s"')
LONG = ["--set", "halo.cells=[110, 90]", "--set", "energies.count=12"]
"""Some seconds on one core: long enough to be interrupted in the middle."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Kind -> job file, result of one process."""
    folder = tmp_path_factory.mktemp("galaxy")
    found = {}
    for kind, text in JOBS.items():
        (folder / f"{kind}.toml").write_text(text)
        found[kind] = folder / f"{kind}.toml", run_job(folder / f"{kind}.toml",
                                                       folder / f"{kind}.h5")
    return found


@pytest.mark.parametrize("kind", JOBS)
def test_same_bits_on_3_ranks_with_threads(whole, tmp_path, kind):
    job, one = whole[kind]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    done = run([*mpirun(3), *HPC_CR, "run", job, "-o", tmp_path / "many.h5", "--quiet"],
               env=os.environ | threads)
    assert done.returncode == 0, done.stdout + done.stderr
    assert differing(one, tmp_path / "many.h5") == []


def test_cases_share_what_does_not_depend_on_the_local_field(whole):
    for _, one in whole.values():
        with h5py.File(one) as file:
            field, none, slower = (file[f"case/{name}/galaxy/flux"][..., 0]
                                   for name in ("field", "none", "slower"))
        assert (field == none).all()
        # control: the comparison sees another solution where there is one
        assert (field != slower).any()
        with open_results(one, "field") as results:
            assert results.steps.sum() > 0
            with_field = results.steps.sum()
        with open_results(one, "none") as results:
            assert results.steps.sum() == 0 < with_field  # nothing was solved again


def test_stopped_by_a_signal_and_resumed(whole, tmp_path):
    job, _ = whole["separate"]
    process = begin_run(job, tmp_path / "out.h5", *LONG)
    os.kill(process.pid, signal.SIGUSR1)
    process.communicate(timeout=60)
    assert process.returncode == 75
    complete = run_job(job, tmp_path / "complete.h5", *LONG, ranks=2)
    assert 3 <= done_entries(tmp_path / "out.h5") < done_entries(complete)
    run_job(job, tmp_path / "out.h5", *LONG, "--resume", ranks=3)
    assert differing(complete, tmp_path / "out.h5") == []


def test_resume_of_half_a_network_computes_what_is_missing(whole, tmp_path):
    """Parents of missing nuclei are solved for again, to the same bits."""
    job, one = whole["network"]
    part = run_job(job, tmp_path / "part.h5")
    with h5py.File(part, "r+") as file:
        for name in ("field", "none"):
            file[f"case/{name}/status/done"][1:3, 2] = 0
            file[f"case/{name}/galaxy/flux"][1:3, 2] = 0.0
        # killed between the entries of two cases that share their solution
        file["case/none/status/done"][4, 3] = 0
        file["case/none/galaxy/flux"][4, 3] = 0.0
    run_job(job, part, "--resume", ranks=2)  # its status says whether all entries are counted
    assert differing(one, part) == []


def test_resume_with_another_case_computes_that_case(whole, tmp_path):
    job, one = whole["separate"]
    fewer = tmp_path / "job.toml"
    text = job.read_text()
    fewer.write_text(text[:text.rindex("[[case]]\nname = \"slower\"")]
                     + text[text.index("[nuclei]"):])
    run_job(fewer, tmp_path / "out.h5")
    with open_results(tmp_path / "out.h5") as results:
        assert results.case_names == ("field", "none")
    run_job(job, tmp_path / "out.h5", "--resume")
    assert differing(one, tmp_path / "out.h5") == []
