"""The benchmark: its textbook kernel sees the program's field, and what it writes is complete."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from hpc_cr.fields.nested import make_field
from tools.bench import command, kernels, launch, machine, report, synthesis
from tools.bench.textbook import textbook_field

STEPS = 40


@pytest.fixture(scope="module")
def problem():
    """A small P1 with its field and textbook copy."""
    job = kernels.nested_job(cells=32, nside=2)
    field = make_field(job, 0)
    return job, field, kernels.textbook_copy(job, field)


@pytest.fixture(scope="module")
def figures():
    return kernels.measure(kernels.nested_job(cells=32, nside=2), 2, lambda text: None, STEPS)


def test_prescribed_levels():
    """Boxes, bands and r.m.s. fields that P1 and P2 are defined by."""
    levels = kernels.nested_job().levels
    assert [level.box for level in levels] == [400, 40, 4]
    assert [level.longest for level in levels] == [100, 6.25, 0.625]
    assert levels[-1].shortest == 0.0625
    np.testing.assert_allclose([level.rms for level in levels], [3.685, 1.411, 0.655], atol=5e-4)
    (level,) = kernels.single_job().levels
    assert level == (400, 100, 3.125, 4, 256)


def test_textbook_field_is_the_programs(problem):
    job, field, book = problem
    points = np.random.default_rng(2).uniform(-300, 300, (200, 3))
    expected = field.at(points)
    found = np.array([textbook_field(*book, *point) for point in points])
    # the same nodes, interpolated in single and in double precision: a few roundings of 6e-8 of
    # each level's largest value
    np.testing.assert_allclose(found, expected, rtol=0, atol=8 * 6e-8 * np.abs(expected).max() * 3)


def test_textbook_trajectories_are_the_programs(problem):
    kernels.check(*problem, rigidity=10.0)


@pytest.mark.parametrize("change", [lambda b: b._replace(bx=b.by, by=b.bx),
                                    lambda b: b._replace(regular=-b.regular),
                                    lambda b: b._replace(bz=b.bz * np.float32(1.0001))])
def test_another_field_is_noticed(problem, change):
    job, field, book = problem
    with pytest.raises(AssertionError, match="differ"):
        kernels.check(job, field, change(book), rigidity=10.0)


def test_step_and_length(problem):
    course = kernels.Course(*problem, 1.0)
    assert course.plan.interval_steps.tolist() == [2000]
    np.testing.assert_allclose(course.plan.interval_step, 1.0810076 / 4 / 20, rtol=5e-8)


def test_document_is_complete(figures):
    found = json.loads(json.dumps(report.document(machine.facts(), figures, {})))
    assert found["machine"]["cores"] > 0 and found["machine"]["commit"]
    assert {"cpu", "numpy", "numba", "pyfftw", "dirty", "memory_GiB"} <= found["machine"].keys()
    assert [figure["name"] for figure in found["figures"]] == ["backtracking, 1 PV",
                                                               "backtracking, 10 PV"]
    for figure in found["figures"]:
        assert len(figure["runs"]) == len(figure["yardstick_runs"]) == 2
        assert 0 < figure["min"] <= figure["median"] <= figure["max"]
        ratios = np.divide(figure["runs"], figure["yardstick_runs"])
        np.testing.assert_allclose(figure["ratio"]["median"], np.median(ratios))


def test_command_writes_and_compares(figures, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "200")  # nothing is folded
    monkeypatch.setattr(command, "run", lambda *arguments: figures)
    old = tmp_path / "old.json"
    first = CliRunner().invoke(command.command, ["P1", "-o", str(old)])
    assert first.exit_code == 0 and "textbook kernel" in first.output
    second = CliRunner().invoke(command.command, ["P1", "-o", str(tmp_path / "new.json"),
                                                  "--compare", str(old)])
    assert second.exit_code == 0 and second.output.count("1.00") == len(figures)
    assert json.loads(old.read_text())["figures"]


@pytest.mark.parametrize("text", [None, "no JSON", "{}"])
def test_wrong_file_to_compare_with(text, tmp_path):
    path = tmp_path / "old.json"
    if text is not None:
        path.write_text(text)
    result = CliRunner().invoke(command.command, ["P1", "--compare", str(path)])
    assert result.exit_code == 2 and str(path) in result.output.replace("\n", "")


def test_synthesis_and_its_bare_transforms():
    (figure,) = synthesis.measure(1, lambda text: None, cells=16)
    assert figure.runs[0] > 0 and figure.ratios[0] > 0


def test_machine_probes():
    figures = machine.measure(1, lambda text: None, mib=1)
    assert [figure.unit for figure in figures] == ["ns", "ns", "GB/s"]
    assert all(0 < figure.runs[0] < np.inf for figure in figures)


@pytest.mark.parametrize("count", [2, 64])
def test_links_are_one_cycle(count):
    links, seen, at = machine._cycle(count), set(), 0
    while at not in seen:
        seen.add(at)
        at = int(links[at])
    assert at == 0 and len(seen) == count


@pytest.mark.mpi
def test_launch():
    """A whole command is timed and its memory watched."""
    settings = ("run.realisations=1", "particles.nside=2", "output.l_max=4",
                'boundary.times=["50 pc"]', "grids.cells=32", "turbulence.inner_scale=5 pc")
    taken = launch.launch("jobs/quickstart.toml", 1, settings)
    assert 0 < taken.startup < taken.whole and 0 <= taken.tracking < taken.whole
    assert 0 < taken.busy and 0 < taken.processor < taken.whole + 1
    assert taken.steps >= 2 * 48 and 50 < taken.peak_node <= taken.peak_rank < 1000


def test_transport_and_its_yardstick_solve_the_same(monkeypatch):
    """The yardstick compares FiPy's densities with the program's, to 0.1 %, every time."""
    from hpc_cr.galaxy import network
    from tools.bench import transport

    (figure,) = transport.measure(1, lambda text: None, ["halo.cells=[24, 16]"])
    assert figure.runs[0] > 0 and figure.ratios[0] > 0
    medium = network.medium

    def wrong(problem, i, k):  # control: another medium is found out
        found = medium(problem, i, k)
        return found._replace(d_r=2 * found.d_r)

    problem, _ = transport.setting(transport.load_job(
        transport.shipped_jobs()["geminga_lrmf"], ["halo.cells=[24, 16]"]).cases[0].job)
    monkeypatch.setattr(network, "medium", wrong)
    seconds = transport.fipy_seconds(problem)
    monkeypatch.setattr(network, "medium", medium)
    with pytest.raises(AssertionError, match="something else"):
        seconds()
