"""Figures of diffusion jobs drawn from a file of known coefficients.

Theory. Every realisation has the D(T) of an exponential velocity correlation with time tau = 3 D,
D(T) = D [1 - (tau/T)(1 - exp(-T/tau))], times 1 + 0.02 g with its own Gaussian g. Without a regular
field D/L = (4/3) x^2 L/L_c + (a x + b x^(2-q))/(1 + 4 x^2), x = r_g/L; beside one D_par and D_perp
are the level fit's curves at 1 PV times R^(1/3) and R^0.55; field lines spread by theory times 0.9.
The figures' points lie on these within 4 x 0.02/sqrt(n), and their curves within the fit's error.
"""

from dataclasses import replace

import numpy as np
import pytest
import synthetic_results

from hpc_cr.config import parse_job
from hpc_cr.config.scales import gyroradius
from hpc_cr.constants import PC_C_CM2_PER_S
from hpc_cr.figures import FIGURES, diffusion_level, diffusion_points, draw, panels, style
from hpc_cr.figures import grammage as grammage_figure
from hpc_cr.frames import field_axes
from hpc_cr.io.results import open_results

ROWS = 6
NOISE = 0.02
SIGMA = NOISE / np.sqrt(ROWS)
A, B = 0.35, 0.08
LEVEL = {"D0": 1.4, "eta_par": 1.2, "p": 1.9, "eta_perp": 3.0, "s": 1.7}
GROWTH = 1 / 3, 0.55
LINES = 0.9

JOB = f"""
[run]
kind = "diffusion"
seed = 1
realisations = {ROWS}
[turbulence]
spectrum = "kolmogorov"
outer_scale = "25 pc"
[regular]
model = "uniform"
direction = [30, 0]
[particles]
rigidities = ["1 PV"]
count = 100
[field_lines]
count = 10
[boundary]
times = [0.3, 1, 2, 3, 5, 7, 10, 15, 20, 30]
times_in = "relaxation"
"""

ISOTROPIC = """
[[case]]
name = "{name}"
[case.set]
"turbulence.rms" = "{rms} uG"
"turbulence.spectrum" = "{spectrum}"
"regular.model" = "none"
"field_lines.count" = 0
"particles.rigidities" = ["0.1 PV", "0.3 PV", "1 PV", "3 PV", "10 PV", "30 PV"]
"""

BESIDE = """
[[case]]
name = "eta-{name}"
[case.set]
"turbulence.rms" = "{rms:.9f} uG"
"regular.strength" = "{regular:.9f} uG"
"particles.rigidities" = [{rigidities}]
"""


def beside(eta, *rigidities):
    total = np.hypot(1.0, eta)
    listed = ", ".join(f'"{r} PV"' for r in rigidities or (1,))
    return BESIDE.format(name=f"{100 * eta:03.0f}", rms=eta / total, regular=1 / total,
                         rigidities=listed)  # fmt: skip


CASES = (
    ISOTROPIC.format(name="iso-1", rms=1, spectrum="kolmogorov")
    + ISOTROPIC.format(name="iso-10", rms=10, spectrum="kolmogorov")
    + ISOTROPIC.format(name="kraichnan", rms=4, spectrum="kraichnan")
    + beside(0.1) + beside(0.25, 0.1, 0.3, 1) + beside(0.5) + beside(1) + beside(2)
)  # fmt: skip
LEVELS = np.array([0.1, 0.25, 0.5, 1, 2])


def isotropic(job, rigidity):
    slope, rms = job.turbulence.slope, job.turbulence.rms
    length = job.turbulence.outer_scale * (slope - 1) / (2 * slope)
    x = gyroradius(rigidity, rms) / length
    resonant = (A * x + B * x ** (2 - slope)) / (1 + 4 * x**2)
    return length * (4 / 3 * x**2 * length / job.coherence_length + resonant)


def level(eta, rigidity=1.0):
    parallel = LEVEL["D0"] * (1 + (LEVEL["eta_par"] / eta) ** LEVEL["p"])
    perp = LEVEL["D0"] / (1 + (LEVEL["eta_perp"] / eta) ** LEVEL["s"])
    return parallel * rigidity ** GROWTH[0], perp * rigidity ** GROWTH[1]


def entry(job, row, rig):
    """One realisation's tensors, as the module says."""
    rng = np.random.default_rng([row, rig, int(1e4 * job.turbulence.rms)])
    rigidity, stops = job.particles.rigidities[rig], np.asarray(job.stops)[rig]
    axes = field_axes(job.regular_field)
    if job.regular.model == "none":
        limits = np.full(3, isotropic(job, rigidity))
    else:
        parallel, perp = level(job.turbulence.rms / job.regular.strength, rigidity)
        limits = np.array([parallel, perp, perp])
    limits = limits * (1 + NOISE * rng.standard_normal(3))
    decay = np.exp(-stops[:, None] / (3 * limits))
    running = limits * (1 - 3 * limits / stops[:, None] * (1 - decay))
    spread = np.diff(running * stops[:, None], axis=0, prepend=0.0)
    found = {"tensor": running, "tensor_velocity": limits * (1 - decay),
             "tensor_arrival": limits * (1 - decay),
             "interval": spread / np.diff(stops, prepend=0.0)[:, None]}  # fmt: skip
    arrays = {name: np.einsum("sa,ai,aj->sij", value, axes, axes) for name, value in found.items()}
    arrays |= {f"{name}_error": 0.01 * np.abs(value) for name, value in arrays.items()}
    arrays["kurtosis"] = np.ones((len(stops), 3))
    if job.field_lines.count:
        ratio = job.turbulence.rms / job.regular.strength
        size = LINES * job.coherence_length / 8 * ratio**2 * (1 + NOISE * rng.standard_normal())
        across = size * (np.outer(axes[1], axes[1]) + np.outer(axes[2], axes[2]))
        arrays["field_line"] = np.tile(across, (len(job.field_line_distances), 1, 1))
        arrays["field_line_error"] = 0.01 * arrays["field_line"]
    return arrays | {"unfinished": 0, "over_tolerance": 0, "steps": 1, "seconds": 1.0, "rank": 0,
                     "origin": (0, "host", 0.0, 1.0)}  # fmt: skip


def write(path, text, **options):
    return synthetic_results.write(path, parse_job(text, name="known"), entry=entry, **options)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("diffusion") / "known.h5", JOB + CASES)


@pytest.fixture(scope="module")
def isotropic_only(tmp_path_factory):
    text = JOB + ISOTROPIC.format(name="iso-1", rms=1, spectrum="kolmogorov")
    return write(tmp_path_factory.mktemp("diffusion") / "isotropic.h5", text)


@pytest.fixture(scope="module")
def two_levels(tmp_path_factory):
    text = (JOB + beside(0.25) + beside(1)).replace("count = 10\n", "count = 0\n")
    return write(tmp_path_factory.mktemp("diffusion") / "two.h5", text)


def words(figure):
    """All that a figure says."""
    from matplotlib.text import Text

    return "\n".join(text.get_text() for text in figure.findobj(Text))


def marked(axes):
    """Points with error bars: list of (x, y, half bars) per container."""
    found = []
    for container in axes.containers:
        x, y = container.lines[0].get_data()
        bars = np.array([np.ptp(segment[:, 1]) / 2 for segment in
                         container.lines[2][0].get_segments()])  # fmt: skip
        found.append((np.asarray(x), np.asarray(y), bars))
    return found


DIFFUSION = [name for name, one in FIGURES.items() if one.kind == "diffusion"]


@pytest.mark.parametrize("name", ["diffusion", "diffusion-energy", "coherence-plane",
                                  "diffusion-level", "grammage", "field-lines"])  # fmt: skip
def test_drawn_and_saved(name, path, tmp_path):
    assert name in DIFFUSION
    # figures of one case are small, the others choose for themselves
    options = panels.Options(cases=("eta-010",) if name == "diffusion" else ())
    figure = draw(name, [path], options)
    assert f"{ROWS} realisations" in words(figure)
    for axes in figure.axes:
        bare = axes.get_xlabel() + axes.get_ylabel()
        # every axis that is labelled has a unit, or is a ratio of lengths or fields
        assert not bare or "[" in bare or "/" in bare
    with style.context():
        figure.savefig(tmp_path / "a.png", dpi=40)
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_running(path):
    options = panels.Options(cases=("iso-1", "eta-025"), rigidities=("1 PV",))
    figure = draw("diffusion", [path], options)
    found = [axes for axes in figure.axes if axes.containers]
    assert len(found) == 2
    with open_results(path, "iso-1") as results:
        exact, stops = isotropic(results.job, 1.0), results.stops[2]
    (time, value, bars), _, velocity = marked(found[0])
    np.testing.assert_allclose(time, stops)
    expected = exact * (1 - 3 * exact / stops * (1 - np.exp(-stops / (3 * exact))))
    # D along the three axes is averaged; D(T) is steeper than D at the beginning: below twice
    assert np.all(np.abs(value / expected - 1) < 2 * 4 * SIGMA / np.sqrt(3))
    assert np.all(bars > 0)
    assert np.all(np.abs(velocity[1][-1] / exact - 1) < 4 * SIGMA)
    text = words(figure)
    assert "flat from" in text and r"$D_\parallel$ =" in text and r"$D_\perp$ =" in text
    assert "cT$ [pc]" in text and "cm$^2$ s$^{-1}$" in text


def test_many_panels_are_chosen_evenly(path):
    figure = draw("diffusion", [path])
    assert "8 of 25 cases and rigidities" in words(figure)
    assert len([axes for axes in figure.axes if axes.containers]) == 8


def test_energy(path):
    figure = draw("diffusion-energy", [path])
    left, right, lower = figure.axes
    assert left.get_xlabel() == "energy of protons [eV]"
    assert left.get_ylabel() == diffusion_points.D_LABEL
    with open_results(path) as results:
        for strength, case in zip((1, 10), results.each_case(), strict=False):
            exact = [isotropic(case.job, r) for r in case.rigidities]
            points = next(p for p in marked(left) if p[0][0] == 1e14 and np.isclose(
                p[1][0] / exact[0] / PC_C_CM2_PER_S, 1, rtol=0.1))  # fmt: skip
            np.testing.assert_allclose(points[0], case.rigidities * 1e15)
            # three axes are averaged
            np.testing.assert_allclose(points[1] / PC_C_CM2_PER_S, exact,
                                       rtol=4 * SIGMA / np.sqrt(3))  # fmt: skip
            assert f"{strength} $\\mu$G: " in words(figure)
    text = words(figure)
    assert "Kolmogorov" in text and "Kraichnan" not in text
    for part in ("L_\\mathrm{max}/5", "B/C", "E^{1/3}", "asymptotes cross", "half-way",
                 r"R_L = L_\mathrm{max}", "small angles", "x_c"):  # fmt: skip
        assert part in text, part
    assert "Harari" in lower.get_ylabel()
    x, ratio, _ = marked(lower)[0]
    assert np.all((ratio > 0.7) & (ratio < 1.3))
    with open_results(path) as results:
        points = diffusion_points.select([results], panels.Options(cases=("iso-1", "iso-10")),
                                         False, "")  # fmt: skip
        fit = diffusion_points.fit_isotropic(points, "")
    for name, value in (("a", A), ("b", B), ("cutoff", 0.5)):
        found, error = fit.fit[name]
        assert abs(found - value) < 4 * error, name


def test_plane(path, isotropic_only):
    figure = draw("coherence-plane", [path])
    (axes,) = figure.axes
    text = words(figure)
    for part in ("Kolmogorov", "Kraichnan", "L_\\mathrm{max}/5", "L_\\mathrm{max}/6", "two-sided",
                 "[pc]", r"[$\mu$G]", "Galaxy", "(3-8)"):  # fmt: skip
        assert part in text, part
    assert "Kraichnan" not in words(draw("coherence-plane", [isotropic_only]))
    # all of the band lies below the fields of the Galaxy
    bands = [c.get_paths()[0].vertices for c in axes.collections if c.get_paths()]
    low = min(b[(b[:, 0] > 1) & (b[:, 0] < 30), 1].max() for b in bands)
    assert low < 1e-2


def test_what_lies_outside_of_the_points_is_not_named(path):
    """R_L = L_max is x = 5: named where points go that far only."""
    named = r"$R_L = L_\mathrm{max}$"
    assert named in words(draw("diffusion-energy", [path]))  # 30 PV in 1 uG: x = 6.5
    low = draw("diffusion-energy", [path], panels.Options(rigidities=("0.1 PV", "0.3 PV", "1 PV")))
    assert named not in words(low)
    # free exponent, and how the value at 10 GeV changes with it
    assert "with a free exponent" in words(low) and "points scaled to $L_c = L$" in words(low)


def test_level(path):
    figure = draw("diffusion-level", [path])
    left, upper, lower = figure.axes
    for (eta, value, _), exact, averaged in zip(marked(left), level(LEVELS), (1, 2), strict=True):
        np.testing.assert_allclose(eta, LEVELS, rtol=1e-6)
        np.testing.assert_allclose(value / PC_C_CM2_PER_S, exact,
                                   rtol=4 * SIGMA / np.sqrt(averaged))  # fmt: skip
    with open_results(path) as results:
        _, points = diffusion_level.level_points([results], panels.Options(), "")
        fit = diffusion_level.level_fit(points, "").fit
        quarter = [p for p in diffusion_points.select([results], panels.Options(), True, "")
                   if abs(p.eta - 0.25) < 1e-3]  # fmt: skip
        laws = diffusion_level.energy_laws(quarter)
    for name, value in LEVEL.items():
        assert abs(fit[name][0] - value) < 4 * fit[name][1], name
    for name, exponent in (("D_par", GROWTH[0]), ("D_perp", GROWTH[1]),
                           ("ratio", GROWTH[1] - GROWTH[0])):  # fmt: skip
        value, error = laws[name]["exponent"]
        # two or three points: an error of 0 to 40 % is not worth less than that of the noise
        assert abs(value - exponent) < 4 * max(error, 2 * SIGMA / np.log(10))
    text = words(figure)
    for part in ("quasi-linear", "B_0 = 0", "(B/C)", r"D_\perp/D_\parallel", "$\\eta$ = 0.25"):
        assert part in text, part
    assert upper.get_ylabel() == diffusion_points.D_LABEL and "[eV]" in lower.get_xlabel()


def test_level_of_one_rigidity(path):
    options = panels.Options(rigidities=("0.3 PV",))
    with pytest.raises(panels.FigureError, match="needs 3 turbulence levels .* there are 1"):
        draw("diffusion-level", [path], options)


def test_grammage(path):
    figure = draw("grammage", [path])
    axes = figure.axes[0]
    assert axes.get_xlabel() == "tilt of the field to the plane [deg]"
    text = words(figure)
    for part in ("[g cm$^{-2}$]", "tilt 30 deg: allowed", "levels measured", "mean exponents"):
        assert part in text, part
    ticks = [line for line in axes.lines if line.get_gid() == "measured"]
    np.testing.assert_allclose(sorted(line.get_ydata()[0] for line in ticks), LEVELS, rtol=1e-6)


def test_field_lines(path):
    figure = draw("field-lines", [path])
    left, right = figure.axes
    assert len(left.containers) == len(LEVELS)
    for eta, (x, y, bar) in zip(LEVELS, marked(right), strict=True):
        assert x[0] == pytest.approx(eta, rel=1e-6)
        assert abs(y[0] - LINES) < 4 * SIGMA * LINES
        assert bar[0] > 0
    assert r"(L_c/8)(\delta B/B_0)^2" in words(figure)


@pytest.mark.parametrize(
    ("name", "fixture", "message"),
    [
        ("diffusion-level", "isotropic_only", "needs turbulent cases with a uniform regular field"),
        ("grammage", "two_levels", "needs 3 turbulence levels"),
        ("field-lines", "two_levels", "no field lines were traced"),
        ("diffusion-energy", "two_levels", "needs turbulent cases without a regular field"),
        ("coherence-plane", "two_levels", "needs turbulent cases without a regular field"),
    ],
)
def test_files_without_the_cases(name, fixture, message, request):
    with pytest.raises(panels.FigureError, match=message) as caught:
        draw(name, [request.getfixturevalue(fixture)])
    assert "\n" not in str(caught.value)


def test_wrong_choices(path):
    with pytest.raises(panels.FigureError, match="no case 'nothing'; cases: iso-1, iso-10"):
        draw("diffusion", [path], panels.Options(cases=("nothing",)))
    with pytest.raises(panels.FigureError, match="no rigidity '7 PV'"):
        draw("diffusion", [path], panels.Options(rigidities=("7 PV",)))
    # one of the cases has it
    figure = draw("diffusion", [path], panels.Options(rigidities=("30 PV",)))
    assert len([axes for axes in figure.axes if axes.containers]) == 3


def test_unfinished(tmp_path):
    text = JOB + beside(0.1) + beside(0.5) + beside(1)
    nothing = write(tmp_path / "nothing.h5", text, finished=lambda n, row, rig: False)
    for name in DIFFUSION:
        if "single" in name:
            continue
        with pytest.raises(panels.FigureError, match="nothing.h5"):
            draw(name, [nothing])
    # one realisation has values without errors: nothing to fit, but something to see
    one = write(tmp_path / "one.h5", text, finished=lambda n, row, rig: row == 0)
    shown = words(draw("diffusion", [one], panels.Options(cases=("eta-050",))))
    assert "1 realisation" in shown and "pm" not in shown
    with pytest.raises(panels.FigureError, match="0 of 3 points"):
        draw("diffusion-level", [one])


@pytest.mark.parametrize("name", ["diffusion", "diffusion-energy", "coherence-plane",
                                  "diffusion-level", "grammage", "field-lines"])  # fmt: skip
def test_what_a_figure_has_no_use_for_is_refused(name, path):
    for options, option in ((panels.Options(stops=("-1",)), "--stop"),
                            (panels.Options(data="none"), "--data")):
        with pytest.raises(panels.FigureError, match=f"figure {name} has no {option}"):
            draw(name, [path], options)
    with pytest.raises(panels.FigureError, match="known.h5: given twice"):
        draw(name, [path, path])


def with_state(points, names, state, factor, exponent=-0.1):
    """Points whose coefficient of a few is a bound: larger by a factor."""
    def bound(one):
        return one._replace(state=state, value=factor * one.value, exponent=exponent)

    return [p._replace(found={n: bound(c) if (p.label, p.rigidity) in names else c
                              for n, c in p.found.items()}) for p in points]  # fmt: skip


@pytest.mark.parametrize("state", ["falling", "rising"])
def test_bounds_are_in_no_fit(path, state):
    with open_results(path) as results:
        points = diffusion_points.select([results], panels.Options(cases=("iso-1", "iso-10")),
                                         False, "")  # fmt: skip
        plain = diffusion_points.fit_isotropic(points, "").fit
        lowest = {("iso-10", 0.1), ("iso-10", 0.3)}
        some = with_state(points, lowest, state, 1.5)
        found = diffusion_points.fit_isotropic(some, "").fit
        assert found.n_point == plain.n_point - 2
        assert abs(found["b"][0] - B) < 4 * found["b"][1]
        assert diffusion_points.left_out(some, "D_iso").startswith("2 still")
        # control: the same values as plateaus without a trend pull b up
        wrong = with_state(points, lowest, "plateau", 1.5, 0.0)
        pulled = diffusion_points.fit_isotropic(wrong, "").fit
        assert pulled.n_point == plain.n_point and pulled["b"][0] > found["b"][0] + 0.1 * B
        # too few of them, or none below the transition
        every = {(p.label, p.rigidity) for p in points[:-3]}
        with pytest.raises(panels.FigureError, match="3 of 12 points have a value to fit"):
            diffusion_points.fit_isotropic(with_state(points, every, state, 1.5), "x")
        high = [p for p in points if p.x > 0.2]
        with pytest.raises(panels.FigureError, match="one of them with r_g <= 0.1 L"):
            diffusion_points.fit_isotropic(high, "x")


def test_points_that_share_realisations_are_correlated(path):
    """The same rows twice are correlated to 1; each point has numbers of its own."""
    with open_results(path) as results:
        points = diffusion_points.select([results], panels.Options(cases=("iso-1",)), False, "")
        twice = [points[0], points[0], points[3]]
        covariance = diffusion_points.correlated(twice, ("D_iso",))
        sigma = [p.found["D_iso"].error / p.found["D_iso"].value for p in twice]
        np.testing.assert_allclose(np.sqrt(np.diag(covariance)), sigma, rtol=1e-9)
        share = covariance / np.outer(sigma, sigma)
        assert share[0, 1] == pytest.approx(1)
        assert abs(share[0, 2]) < 0.99  # control: drawn on their own
        # the error of the mean of both copies is that of one
        _, _, both = diffusion_points.to_fit(twice, "D_iso")
        trend = points[0].found["D_iso"].trend
        assert both[0, 1] == pytest.approx(sigma[0] ** 2)
        assert both[0, 0] == pytest.approx(sigma[0] ** 2 + trend**2)


def test_bars_have_the_trend(path):
    """Growth that falls along the plateau: bars of points are longer than the statistical error."""
    with open_results(path) as results:
        points = diffusion_points.select([results], panels.Options(cases=("iso-1",)), False, "")
        moved = [p._replace(found={n: c._replace(exponent=-0.02) for n, c in p.found.items()})
                 for p in points]  # fmt: skip
        value, alone, plateau = diffusion_points.values(moved, "D_iso")
        _, total, _ = diffusion_points.values(moved, "D_iso", drift=True)
        span = [c.until / c.since for p in points for c in p.found.values()]
        np.testing.assert_allclose(total**2 - alone**2, (0.02 * np.log(span) * value) ** 2)
        assert plateau.all() and np.all(total > alone)


def test_grammage_says_what_scaling_does(path):
    with open_results(path) as results:
        _, levels = diffusion_level.level_points([results], panels.Options(), "")
        fit = diffusion_level.level_fit(levels, "")
        others = grammage_figure.ways([results], panels.Options(), levels)
    (anchored, mean) = others.values()
    # D_par goes as R^(1/3) at all rigidities here, D_perp as R^0.55: from 0.1 PV on by R^(1/3)
    # instead of from 1 PV, over five decades
    for name, (first, second) in zip(GROWTH, zip(anchored, mean, strict=True), strict=True):
        assert second == pytest.approx(name, abs=4 * SIGMA * np.sqrt(2) / np.log(10))
        assert first == pytest.approx(1 / 3 + (name - 1 / 3) / 5,
                                      abs=4 * SIGMA * np.sqrt(2) / np.log(1e5))
    with_them = grammage_figure.statement(fit, 1.0, others)
    assert with_them != grammage_figure.statement(fit, 1.0) and "allowed" in with_them
    far = grammage_figure.statement(fit, 1.0, {"far": (2.0, 2.0)})
    assert "by other ways none" in far and len(far) < 100
    # a tilt plane that is allowed nowhere, or everywhere, is told apart
    weak = replace(fit, fit=replace(fit.fit, values=fit.fit.values * [1e6, 1, 1, 1, 1]))
    assert "no level from 0.05 to 2 allowed" in grammage_figure.statement(weak, 1.0)
    # 10 g/cm^2 takes 0.5 pc c at 10 GV, 24 pc c at 1 PV
    flat = replace(fit, fit=replace(fit.fit, values=np.array([24.0, 1e-9, 1, 1e-9, 1])))
    assert "every level from 0.05 to 2 allowed" in grammage_figure.statement(flat, 1.0)


def test_exponents_between_points(path):
    with open_results(path) as results:
        quarter = diffusion_points.select([results], panels.Options(cases=("eta-025",)), True, "")
        for name, exponent in zip(("D_par", "D_perp"), GROWTH, strict=True):
            local = diffusion_level.local_exponents(quarter, name)
            assert [one[:2] for one in local] == [(0.1, 0.3), (0.3, 1.0)]
            for low, high, value, error in local:
                step = np.log(high / low)
                assert abs(value - exponent) < 4 * max(error, 2 * SIGMA / step)
        # only points below the transition enter the asymptotic exponent
        assert diffusion_level.energy_laws(quarter)["D_par"].n_point == 2
        assert diffusion_level.mean_laws(quarter)["D_par"].n_point == 3
        # a bound is in none of them
        some = with_state(quarter, {("eta-025", 0.1)}, "falling", 1.5)
        assert len(diffusion_level.local_exponents(some, "D_perp")) == 1
        assert diffusion_level.energy_laws(some) == {}


def test_values_that_are_not_positive_are_marked(path):
    class Negative:
        """Results whose velocity correlation is negative at one stop."""

        def __init__(self, results):
            self.results = results

        def __getattr__(self, name):
            return getattr(self.results, name)

        def running(self, rig):
            found = self.results.running(rig)
            found["D_iso"]["velocity"][0][4] = -1.0
            return found

    from matplotlib.figure import Figure

    from hpc_cr.figures import running_diffusion

    with open_results(path) as results:
        point = diffusion_points.select([results], panels.Options(cases=("iso-1",)), False, "")[0]
        for one, count in ((point, 0), (point._replace(results=Negative(point.results)), 1)):
            axes = Figure().add_subplot()
            running_diffusion._panel(axes, one)
            arrows = [line for line in axes.lines if line.get_gid() == "not positive"]
            assert len(arrows) == count
            assert all(line.get_xdata()[0] == results_stop(point, 4) for line in arrows)


def results_stop(point, number):
    return point.results.stops[point.rig][number]


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [(23.94, 0.41, r"23.9 $\pm$ 0.4"), (0.0213, 0.00013, r"0.02130 $\pm$ 0.00013"),
     (5.461e30, 6e28, r"(5.46 $\pm$ 0.06)$\times10^{30}$"), (120.0, 17.0, r"120 $\pm$ 17")],
)  # fmt: skip
def test_with_error(value, error, shown):
    assert diffusion_points.with_error(value, error) == shown
