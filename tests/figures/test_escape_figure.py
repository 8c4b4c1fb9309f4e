"""Figure, table and reader of escape jobs, from a file whose escapes follow known power laws."""

import io

import numpy as np
import pytest
from synthetic_results import write

from hpc_cr import open_results
from hpc_cr.cli.summaries import escape as summary
from hpc_cr.config import parse_job
from hpc_cr.figures import draw, escape
from hpc_cr.figures.panels import FigureError, Options
from hpc_cr.io import schema
from hpc_cr.io.escape import MYR_PER_PC, NEAR_SUN

JOB = """
[run]
kind = "escape"
realisations = 5
[turbulence]
rms = "0.3 uG"
outer_scale = "25 pc"
profile = "jf12-halo"
[regular]
model = "jf12"
[particles]
rigidities = ["0.3 PV", "1 PV", "3 PV", "100 PV"]
count = 400
"""
TIME, GRAMMAGE = (2.0e5, -0.4), (0.3, -0.7)  # pc and g/cm^2 at 1 PV, exponents


def entry(job, row, rig):
    """Exponentially distributed times, every tenth particle lost, every fifth aside."""
    rng = np.random.default_rng([row, rig])
    arrays = {spec.name: np.zeros(shape[2:]) for spec, shape in schema.datasets(job)
              if spec.role == "data"}
    count, rigidity = job.n_pix, job.particles.rigidities[rig]
    if rigidity > 10:  # no power law there
        rigidity = 1e4
    arrays["escape_time"] = rng.exponential(TIME[0] * rigidity ** TIME[1], count)
    arrays["grammage"] = rng.exponential(GRAMMAGE[0] * rigidity ** GRAMMAGE[1], count)
    arrays["exit"][:, 2] = np.where(np.arange(count) % 5 == 0, 1000.0, 5000.0)
    for name in ("escape_time", "grammage", "exit"):
        arrays[name][1::10] = np.nan
    scalars = {"unfinished": count // 10, "over_tolerance": 0, "steps": 1_000_000}
    return arrays | scalars | {"seconds": 0.5, "rank": 0, "origin": (0, "host", 0.0, 0.5)}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("escape") / "escape.h5", parse_job(JOB), entry=entry)


def test_means(path):
    with open_results(path) as results:
        for rig, rigidity in enumerate(results.rigidities[:3]):
            e = results.escapes(rig)
            assert (e.n, e.n_realisation) == (5 * 360, 5)
            assert e.unfinished == pytest.approx(0.1) and e.aside == pytest.approx(2 / 9)
            for value, error, (one, power) in ((e.time, e.time_error, TIME),
                                               (e.grammage, e.grammage_error, GRAMMAGE)):
                expected = one * rigidity**power
                # of an exponential distribution the mean is the standard deviation
                assert error >= 0.9 * expected / np.sqrt(e.n)
                assert abs(value - expected) < 4 * max(error, expected / np.sqrt(e.n))
            assert e.median_time == pytest.approx(e.time * np.log(2), rel=0.1)
        labelled = results.to_xarray()
        assert labelled["escape_time"].dims == ("row", "rigidity", "particle")


def test_starts_near_the_sun(tmp_path):
    """Starts at 8.5 kpc stay three times as long as those at 4 kpc; a tenth of either is lost."""
    def places(job, row, rig):
        numbers = entry(job, row, rig)
        inner = np.arange(job.n_pix) < job.n_pix // 2
        numbers["start"][:, 1] = np.where(inner, 0.0, 8500.0)
        numbers["start"][:, 0] = np.where(inner, 4500.0, 8500.0)  # the centre is at 8500
        numbers["escape_time"] = numbers["escape_time"] * np.where(inner, 1.0, 3.0)
        return numbers

    with open_results(write(tmp_path / "two.h5", parse_job(JOB), entry=places)) as results:
        every, near, inner = (results.escapes(1, radii)
                              for radii in (None, NEAR_SUN, (3.9e3, 4.1e3)))
        assert near.n == inner.n == every.n / 2 and near.unfinished == pytest.approx(0.1)
        assert abs(near.time - 3 * TIME[0]) < 4 * near.time_error
        assert abs(inner.time - TIME[0]) < 4 * inner.time_error
        assert abs(every.time - near.time) > 5 * every.time_error  # control
        (curve,) = escape.curves([results], Options())
        assert curve.lowest("time")[0] > 1.3 * curve.time[0, 0]
        # nobody started there
        assert results.escapes(1, (1e3, 2e3)).n == 0


def test_cases_that_differ_in_particles_are_one_curve(tmp_path):
    shared, _ = JOB.split("[particles]")
    # else it follows the lowest rigidity of each case
    shared = shared.replace('outer_scale', 'inner_scale = "0.05 pc"\nouter_scale')
    cases = """
[[case]]
name = "low"
[case.set]
"particles.rigidities" = ["0.3 PV", "1 PV"]
"particles.count" = 200
[[case]]
name = "high"
[case.set]
"particles.rigidities" = ["3 PV", "100 PV"]
"particles.count" = 400
"""
    split = write(tmp_path / "split.h5", parse_job(shared + cases), entry=entry)
    with open_results(split) as results:
        found = escape.curves(list(results.each_case()), Options())
        assert [c.rigidity.tolist() for c in found] == [[0.3, 1.0, 3.0, 100.0]]
        assert found[0].label == "" and found[0].fits["time"].n_point == 3
        (one,) = escape.curves(list(results.each_case()), Options(rigidities=("1 PV",)))
        assert one.rigidity.tolist() == [1.0]
        with pytest.raises(FigureError, match="7 PV"):
            escape.curves(list(results.each_case()), Options(rigidities=("7 PV",)))
    # control: another field is another curve
    other = cases.replace('400', '400\n"turbulence.rms" = "0.5 uG"')
    other = write(tmp_path / "other.h5", parse_job(shared + other), entry=entry)
    with open_results(other) as results:
        found = escape.curves(list(results.each_case()), Options())
    assert [c.label for c in found] == ["low", "high"]
    assert len(draw("escape", [other]).axes) == 2


def test_realisations_count_when_they_differ(tmp_path):
    """Rows of very different fields: the error is that of their means, not of all particles."""
    def apart(job, row, rig):
        numbers = entry(job, row, rig)
        numbers["escape_time"] = numbers["escape_time"] * 10.0**row
        return numbers

    with open_results(write(tmp_path / "apart.h5", parse_job(JOB), entry=apart)) as results:
        e = results.escapes(1)
        assert e.time_error > 0.5 * e.time  # 1, 10 ... 10^4: the last one is nearly all


def test_power_laws(path):
    with open_results(path) as results:
        (curve,) = escape.curves([results], Options())
    assert curve.resonant.tolist() == [True, True, True, False]
    for name, (one, power) in (("time", TIME), ("grammage", GRAMMAGE)):
        factor = MYR_PER_PC if name == "time" else 1.0
        value, error = curve.fits[name]["exponent"]
        assert error < 0.05 and abs(value - power) < 3.5 * error
        low, low_error = curve.fits[name]["amplitude"]  # at 1 PV
        assert abs(low - one * factor) < 3.5 * low_error
        first, first_error = curve.kolmogorov(name)
        expected = one * factor * 0.3**power * 3e4 ** (1 / 3)
        assert abs(first - expected) < 4 * first_error
        # r_g >> L_c: R^-2; far below it R^(-1/3), and the transition makes it more than that
        high, higher, lowest, lower = (curve.isotropic(name, r)[0] for r in (1e3, 1e4, 1e-7, 1e-8))
        assert high / higher == pytest.approx(100, rel=0.05)
        assert lower / lowest == pytest.approx(10 ** (1 / 3), rel=0.01)
        assert curve.isotropic(name)[0] > 1.5 * first
        # control: with the last rigidity it would be another
        wrong = escape._power_law(curve.rigidity, getattr(curve, name))["exponent"]
        assert abs(wrong[0] - power) > 5 * error


def test_figure_and_refusals(path, tmp_path):
    figure = draw("escape", [path])
    left, right = figure.axes
    assert left.get_ylabel() == "escape time [Myr]" and "grammage" in right.get_ylabel()
    text = " ".join(t.get_text() for t in figure.legends[0].get_texts())
    with open_results(path) as results:
        fits = escape.curves([results], Options())[0].fits
    for name, symbol in (("time", r"\tau"), ("grammage", "X")):
        assert rf"{symbol}\propto R^{{{fits[name]['exponent'][0]:.2f}" in text
    one = draw("escape", [path], Options(rigidities=("1 PV",)))
    assert "no fit" in " ".join(t.get_text() for t in one.legends[0].get_texts())
    with pytest.raises(FigureError, match="no case"):
        draw("escape", [path], Options(cases=("strong",)))
    empty = write(tmp_path / "empty.h5", parse_job(JOB), entry=entry,
                  finished=lambda n, row, rig: False)
    with pytest.raises(FigureError, match="no particle has escaped"):
        draw("escape", [empty])
    with open_results(empty) as results:
        assert np.isnan(results.escapes(0).time)


def test_table_and_document(path):
    with open_results(path) as results:
        stream = io.StringIO()
        summary.print_results([results], -1, stream)
        rows = summary.documents([results])["results"]
    text = stream.getvalue()
    assert "unfinished" in text and "g/cm2" in text and "100 PV" in text
    assert [row["rigidity_PV"] for row in rows] == [0.3, 1.0, 3.0, 100.0]
    assert rows[1]["escape_time_Myr"] == pytest.approx(2e5 * MYR_PER_PC, rel=0.15)
    assert rows[1]["unfinished"] == 5 * 40
