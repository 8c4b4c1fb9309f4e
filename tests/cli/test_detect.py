"""hpc-cr detect and the figure right-ascension tell what the stored tensors say.

Skies: X_j(n) = M_ij n_i with M drawn per realisation and growing with the rigidity, M(R) = M_0 +
ln(R/10 PV) M_1, a quadrupole and a little pixel noise. Averages over a bin of such a response are
M_0 + <ln R> M_1 exactly. Equatorial components come from astropy's SkyCoord here, not from the
project's rotation.
"""

import json
import re
import shlex
from importlib import import_module
from pathlib import Path

import h5py
import numpy as np
import pytest
import synthetic_results

from hpc_cr.cli.main import run
from hpc_cr.config import parse_job
from hpc_cr.figures import draw
from hpc_cr.figures.panels import FigureError, Options
from hpc_cr.io.results import open_results
from hpc_cr.measurements.diffusion import boron_to_carbon

G = 1 / 290.0
RIGIDITIES = [10.0, 12.5, 16.0, 20.0]
JOB = """
[run]
seed = 3
realisations = 12
[turbulence]
spectrum = "kolmogorov"
rms = "4 uG"
outer_scale = "100 pc"
[particles]
rigidities = ["10 PV", "12.5 PV", "16 PV", "20 PV"]
nside = 8
[boundary]
kind = "sphere"
radii = ["50 pc", "100 pc"]
[gradient]
direction = [90, 0]
scale_length = "290 pc"
[output]
l_max = 6
[[case]]
name = "whole"
[[case]]
name = "window"
[case.set]
"particles.patch" = { l = 0, b = 0, width = 60 }
"output.displacement" = true
"run.realisations" = 1
"""


def entry(job, row, rig):
    """Arrays and scalars of one entry, from the maps described above."""
    import healpy

    from hpc_cr.anisotropy.observables import SkyObservables

    n = np.column_stack(healpy.pix2vec(job.particles.nside, np.arange(job.n_pix)))
    if job.particles.patch is not None:
        return synthetic_results.entry(job, row, rig)
    rng, noise = np.random.default_rng(row), np.random.default_rng([row, rig])
    tensor = 5 * np.eye(3) + rng.normal(size=(3, 3))
    tensor += np.log(RIGIDITIES[rig] / 10) * (3 * np.eye(3) + rng.normal(size=(3, 3)))
    maps = n @ tensor + np.outer(n[:, 0] * n[:, 2], rng.normal(size=3) + rig)
    maps += 0.05 * noise.normal(size=maps.shape)
    both = np.stack([0.5 * maps, maps])
    found = SkyObservables(n, 8, 6).measure(both, both, job.gradient_vectors[rig])
    return synthetic_results.entry(job, row, rig) | found


@pytest.fixture(scope="module")
def skies(tmp_path_factory):
    path = tmp_path_factory.mktemp("detect") / "skies.h5"
    return synthetic_results.write(path, parse_job(JOB, name="skies"), entry=entry)


def detect(capsys, *arguments):
    """Status, stdout, stderr."""
    status = run(["detect", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def document(capsys, *arguments):
    status, out, err = detect(capsys, *arguments, "--json")
    assert status == 0, err
    return json.loads(out)


def equatorial(vectors):
    """Components in ICRS, by astropy; vectors of any length."""
    from astropy.coordinates import CartesianRepresentation, SkyCoord

    sky = SkyCoord(CartesianRepresentation(*np.asarray(vectors, float).T), frame="galactic")
    return sky.icrs.cartesian.xyz.value.T


def stored(path, name="response"):
    with h5py.File(path, "r") as file:
        return file[f"case/whole/anisotropy/{name}"][:, :, -1]


def test_amplitudes_and_phases_are_those_of_the_tensors(skies, capsys):
    found = document(capsys, skies)
    assert [r["rigidity_PV"] for r in found["results"]] == RIGIDITIES
    assert {r["case"] for r in found["results"]} == {"whole"}  # the window has no dipole
    for rig, result in enumerate(found["results"]):
        dipoles = stored(skies)[:, rig] @ [0, G, 0]
        x, y, z = equatorial(dipoles).T
        amplitude, phase = np.hypot(x, y), np.degrees(np.arctan2(y, x)) % 360
        size = np.linalg.norm(dipoles, axis=1)
        rows = result["realisations"]
        np.testing.assert_allclose([r["amplitude"] for r in rows], amplitude)
        np.testing.assert_allclose([r["phase"] for r in rows], phase)
        assert result["ra_mean_amplitude"] == pytest.approx(amplitude.mean())
        error = amplitude.std(ddof=1) / np.sqrt(12)
        assert result["ra_mean_amplitude_error"] == pytest.approx(error)
        assert result["ra_median"] == pytest.approx(np.median(amplitude))
        assert result["dipole_mean"] == pytest.approx(size.mean())
        assert result["equatorial_share"] == pytest.approx(amplitude.mean() / size.mean())
        assert result["declination_component"] == pytest.approx(z.mean())
        mean = np.degrees(np.arctan2(y.mean(), x.mean())) % 360
        assert result["ra_mean_phase"] == pytest.approx(mean)
        # isotropic expectation: towards the gradient, (l, b) = (90, 0) is RA 318.00, Dec 48.33
        assert result["expected_phase"] == pytest.approx(318.004, abs=0.01)


def test_the_expectation_has_the_errors_of_its_one_number(skies, capsys):
    # <M> of an isotropic set-up is a number: relative errors of |delta| and of any projection are
    # those of <tr M>, and the direction is exact
    found = document(capsys, skies)["results"]
    figure = draw("right-ascension", [skies], Options(data="none"))
    bars = [[c for c in axes.containers if c.lines[0].get_marker() == "D"][0]
            for axes in figure.axes[:2]]  # fmt: skip
    halves = [[np.diff(end[:, 1])[0] / 2 for end in b.lines[2][0].get_segments()] for b in bars]
    traces = np.trace(stored(skies), axis1=2, axis2=3).T
    with open_results(skies, case="whole") as results:
        summaries = results.summary(-1)
    for rig, (result, s, trace) in enumerate(zip(found, summaries, traces, strict=True)):
        relative = trace.std(ddof=1) / np.sqrt(12) / trace.mean()
        # what `hpc-cr info` prints: the error along the expected vector
        info = np.abs(s.expectation) @ s.expectation_error / (s.expectation @ s.expectation)
        assert info == pytest.approx(relative, rel=1e-6)
        mine = result["expected_amplitude_error"] / result["expected_amplitude"]
        assert mine == pytest.approx(relative, rel=1e-6)
        assert result["expected_phase_error"] == pytest.approx(0, abs=1e-9)
        drawn = halves[0][rig] / result["expected_amplitude"]
        assert drawn == pytest.approx(relative, rel=1e-6)
        assert halves[1][rig] == pytest.approx(0, abs=1e-9)
        # negative control: the phase of the mean of the skies has an error
        assert result["ra_mean_phase_error"] > 1


def test_gradient_band_and_motion(skies, capsys):
    options = ["--gradient", "200,-40", "--gradient-size", "1 / kpc", "--rigidity", "-1"]
    b, lon = np.radians(-40), np.radians(200)
    g = 1e-3 * np.array([np.cos(b) * np.cos(lon), np.cos(b) * np.sin(lon), np.sin(b)])
    dipoles = stored(skies)[:, -1] @ g
    (result,) = document(capsys, skies, *options)["results"]
    x, y, _ = equatorial(dipoles).T
    np.testing.assert_allclose(result["ra_mean_amplitude"], np.hypot(x, y).mean())
    # a quarter of a degree about the equator has <cos dec> = 1 - 2e-6
    narrow = document(capsys, skies, *options, "--declination", "-0.25,0.25")
    assert narrow["mean_cosine"] == pytest.approx(1, abs=1e-5)
    band = document(capsys, skies, *options, "--declination", "-20,60")
    cosine = band["mean_cosine"]
    # [dec/2 + sin(2 dec)/4] / sin(dec) from -20 to 60 deg
    assert cosine == pytest.approx((np.radians(80) / 2 + (np.sin(2 * np.pi / 3) + np.sin(
        np.radians(40))) / 4) / (np.sin(np.pi / 3) + np.sin(np.radians(20))), abs=1e-5)
    seen = band["results"][0]["ra_mean_amplitude"]
    assert seen == pytest.approx(cosine * np.hypot(x, y).mean())
    # our motion: 4.7 * 18/299792 towards (48, 24) added to every sky
    moved = document(capsys, skies, *options, "--solar-motion", "48,24,18 km/s")
    b, lon = np.radians(24), np.radians(48)
    own = 4.7 * 18 / 299_792.458 * np.array(
        [np.cos(b) * np.cos(lon), np.cos(b) * np.sin(lon), np.sin(b)])
    x, y, _ = equatorial(dipoles + own).T
    assert moved["results"][0]["ra_mean_amplitude"] == pytest.approx(np.hypot(x, y).mean())
    assert np.linalg.norm(moved["compton_getting_dipole"]) == pytest.approx(2.822e-4, rel=1e-3)


def test_a_site_sees_less_of_the_poles(skies, capsys):
    found = document(capsys, skies, "--site", "0,30", "--rigidity", "0")
    # a site on the equator that sees declinations to 30 deg, most of all the equator
    assert np.cos(np.radians(30)) < found["mean_cosine"] < 1


def test_all_multipoles_count_in_a_band(skies, capsys):
    (result,) = document(capsys, skies, "--declination", "0,80", "--rigidity", "-1")["results"]
    dipole = [r["amplitude"] for r in result["realisations"]]
    whole = [r["all_l_amplitude"] for r in result["realisations"]]
    # a quadrupole of several pc beside a dipole of 14
    assert np.abs(np.subtract(dipole, whole)).max() > 0.05 * np.mean(dipole)
    assert result["ra_all_l_noise_floor"] < 0.01 * np.mean(dipole)


def test_an_energy_bin_averages_the_intensities(skies, capsys):
    (result,) = document(capsys, skies, "--energy", "11,19 PeV", "--index", "3")["results"]
    weights = np.array([result["weights"][str(r)] for r in RIGIDITIES])
    # <u> of exp(-2 u): the response is linear in u = ln R between the rigidities
    a, b = np.log([11.0, 19.0])
    mean = 0.5 + (a * np.exp(-2 * a) - b * np.exp(-2 * b)) / (np.exp(-2 * a) - np.exp(-2 * b))
    assert weights @ np.log(RIGIDITIES) == pytest.approx(mean, abs=1e-9)
    dipoles = np.einsum("k,akij,j->ai", weights, stored(skies), [0, G, 0])
    x, y, _ = equatorial(dipoles).T
    np.testing.assert_allclose([r["amplitude"] for r in result["realisations"]], np.hypot(x, y))
    # power: the same dipoles, C_1 = 4 pi |delta|^2/9 and 3 C_1/4 pi = |delta|^2/3, the noise out
    first = result["power"][0]
    assert first["l"] == "1"
    expected = np.mean(np.sum(dipoles**2, axis=1)) / 3
    assert first["power"] == pytest.approx(expected, rel=2e-3)
    # quadrupole a + k b of rigidity k: <X>^2/<X^2> from the weights, up to noise
    assert 0.5 < result["power"][1]["bin_over_single"] < 0.999
    # one energy at a rigidity of the file is that rigidity
    (one,) = document(capsys, skies, "--energy", "16 PeV")["results"]
    alone = document(capsys, skies, "--rigidity", "16 PV")["results"][0]
    assert one["ra_mean_amplitude"] == pytest.approx(alone["ra_mean_amplitude"])
    helium = document(capsys, skies, "--energy", "32 PeV", "--composition", "He=1")["results"][0]
    assert helium["ra_mean_amplitude"] == pytest.approx(alone["ra_mean_amplitude"])


def test_tables_have_units_errors_and_a_line_for_each_sky(skies, capsys):
    status, out, _ = detect(capsys, skies, "--energy", "11,19 PeV", "--energy", "15 PeV",
                            "--resolution", "0.05", "--realisations", "--power",
                            "--solar-motion", "lsr", "--declination", "-20,60")  # fmt: skip
    assert status == 0
    lines = out.splitlines()
    (head,) = [n for n, text in enumerate(lines) if "RA amplitude" in text and "|dipole|" in text]
    assert "deg" in lines[head + 1] and "pc" in lines[head + 1]
    assert lines[head + 2].startswith("whole") and "±" in lines[head + 2]
    assert "<cos dec> = 0.8901" in out and "18 km/s" in out and "0.000283" in out
    assert "gradient 0.003448 / pc toward (l, b) = (90.0, 0.0) deg" in out
    # lines of single skies: realisation 0 to 11 for both bins
    begin = next(n for n, text in enumerate(lines) if text.startswith("Single skies"))
    singles = [text for text in lines[begin:] if text.startswith("whole")][:24]
    assert [text.split("PeV")[1].split()[0] for text in singles] == [str(n) for n in range(12)] * 2
    assert "bin/single" in out and "3-4" in out


def test_a_part_of_the_sky_is_told_to_be_left_out(skies, capsys):
    assert "case window: a part of the sky" in detect(capsys, skies)[1]
    assert "window" not in detect(capsys, skies, "--case", "whole")[1]


def test_a_chosen_part_of_the_sky_is_told_too(skies, capsys):
    status, out, _ = detect(capsys, skies, "--case", "whole", "--case", "window")
    assert status == 0 and "case window: a part of the sky" in out


def one_case(path, rest="", **changed):
    """File of JOB without its cases, with other values, and the cases of `rest`."""
    text = JOB.split("[[case]]")[0]
    for key, value in changed.items():
        text = re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
    return synthetic_results.write(path, parse_job(text + rest, name=path.stem), entry=entry)


def test_the_column_of_stops_is_named_after_all_cases(skies, tmp_path, capsys):
    cases = """
[[case]]
name = "a"
[[case]]
name = "b"
set = { boundary = { kind = "time", times = ["50 pc", "100 pc"] } }
"""
    path = one_case(tmp_path / "kinds.h5", cases, realisations=2)
    for arguments, name in ((["--case", "b", "--case", "a"], "stop"), (["--case", "a"], "radius"),
                            (["--case", "b"], "T")):  # fmt: skip
        (head,) = [text for text in detect(capsys, path, *arguments)[1].splitlines()
                   if "RA amplitude" in text and "|dipole|" in text]  # fmt: skip
        assert head.split()[2] == name


def test_the_factors_of_the_normalisation_have_errors(skies, tmp_path, capsys):
    arguments = ["--normalise", "diffusion", "--rigidity", "0", "--rigidity", "3"]
    status, out, _ = detect(capsys, skies, *arguments)
    assert status == 0 and "single realisation" not in out
    (line,) = [text for text in out.splitlines() if " PV x " in text]
    found = re.findall(r"([\d.]+) PV x ([\d.]+) ± ([\d.]+) %", line)
    assert line.startswith("  case whole: ") and [float(f[0]) for f in found] == [10, 20]
    results = document(capsys, skies, *arguments)["results"]
    for (rigidity, factor, error), rig, result in zip(found, (0, 3), results, strict=True):
        trace = np.trace(stored(skies)[:, rig], axis1=1, axis2=2) / 3
        expected = 3 * boron_to_carbon(float(rigidity)) / trace.mean()
        relative = trace.std(ddof=1) / np.sqrt(12) / trace.mean()
        assert float(factor) == pytest.approx(expected, rel=6e-3)  # three digits
        assert float(error) == pytest.approx(100 * relative, rel=0.06)  # two digits
        assert result["scale_error"] == pytest.approx([expected * relative])
    assert " x " not in detect(capsys, skies)[1].split("RA amplitude")[1]
    single = one_case(tmp_path / "single.h5", realisations=1)
    _, out, _ = detect(capsys, single, "--normalise", "diffusion")
    (line,) = [text for text in out.splitlines() if "normalised to itself" in text]
    assert "a single realisation" in line and "10 PV x " in out and " ± -," in out


def test_wide_steps_are_told(tmp_path, capsys):
    text = JOB.split("[[case]]")[0].replace(
        '["10 PV", "12.5 PV", "16 PV", "20 PV"]', '["10 PV", "20 PV"]')
    path = synthetic_results.write(tmp_path / "wide.h5", parse_job(text, name="wide"), entry=entry)
    status, out, _ = detect(capsys, path, "--energy", "11,19 PeV")
    assert status == 0 and "up to a factor 2 apart" in out
    assert "Warning" not in detect(capsys, path)[1]


@pytest.mark.parametrize("arguments, text", [
    (["--case", "hole"], "no case 'hole'"),
    (["--case", "window"], "only a part of the sky"),
    (["--resolution", "0.3"], "--resolution needs --energy"),
    (["--composition", "He=1"], "--composition needs --energy"),
    (["--energy", "15 PeV", "--rigidity", "0"], "leave --rigidity out"),
    (["--energy", "15 PV"], 'such as "1 PeV"'),
    (["--energy", "15"], 'such as "1 PeV"'),
    (["--energy", "20,10 PeV"], "ascend"),
    (["--energy", "15,30 PeV"], "above 20 PV, where there are no results"),
    (["--energy", "15 PeV", "--composition", "Xx=1"], "give shares of p, H, He"),
    (["--energy", "15 PeV", "--composition", "He"], "He=0.6"),
    (["--declination", "60,-20"], "ascend"),
    (["--declination", "60"], "such as -20,60"),
    (["--declination", "-90,-60", "--site", "30,50"], "do not rise"),
    (["--solar-motion", "fast"], "none, lsr, or"),
    (["--solar-motion", "10,95,18 km/s"], "|b| is at most 90"),
    (["--stop", "7 pc"], "no radius '7 pc'"),
    (["--index", "2.7"], "--index needs --energy or --solar-motion"),
    (["--index", "3", "--solar-motion", "none"], "--index needs --energy or --solar-motion"),
    (["--energy", "50,200 PeV", "--outside", "1"], "some of it must lie between"),
    (["--energy", "15 PeV", "--outside", "nan"], "give a finite number"),
    (["--energy", "15 PeV", "--resolution", "nan"], "give a finite number"),
    (["--index", "nan", "--solar-motion", "lsr"], "give a finite number"),
    (["--energy", "nan PeV"], 'such as "1 PeV"'),
    (["--energy", "10,inf PeV"], 'such as "1 PeV"'),
    (["--energy", "15 PeV", "--composition", "He=nan"], "He=0.6"),
    (["--declination", "nan,60"], "such as -20,60"),
    (["--site", "19,inf"], "such as 19,50"),
    (["--solar-motion", "nan,0,18 km/s"], "l lies within"),
    (["--solar-motion", "0,nan,18 km/s"], "|b| is at most 90"),
    (["--solar-motion", "0,0,nan km/s"], "speed below"),
    (["--gradient", "nan,0"], "l lies within"),
    (["--gradient-size", "nan / kpc"], "not an inverse length"),
])  # fmt: skip
def test_wrong_input_is_one_clear_line(skies, capsys, arguments, text):
    status, out, err = detect(capsys, skies, *arguments)
    assert status == 2 and out == ""
    assert text in err and len(err.splitlines()) == 1


def test_figure_shows_the_harmonics(skies):
    figure = draw("right-ascension", [skies], Options(data="none"))
    upper, lower = figure.axes[:2]
    amplitude, phase = [], []
    for rig in range(4):
        x, y, _ = equatorial(stored(skies)[:, rig] @ [0, G, 0]).T
        amplitude.append(np.hypot(x, y))
        phase.append((np.degrees(np.arctan2(y, x)) + 180) % 360 - 180)
    singles = [line for line in upper.lines if line.get_gid() == "single sky"]
    for number, line in enumerate(singles):
        np.testing.assert_allclose(line.get_ydata(), np.array(amplitude)[:, number])
    assert len(singles) == 5
    clouds = [line for line in lower.lines if line.get_gid() == "phases"]
    drawn = np.concatenate([line.get_ydata() for line in clouds])
    drawn = np.unique(np.round(drawn[np.abs(drawn) < 180], 6))
    np.testing.assert_allclose(drawn, np.unique(np.round(np.concatenate(phase), 6)))
    assert "[PV]" in lower.get_xlabel() and "[deg]" in lower.get_ylabel()
    assert [tick.get_text() for tick in lower.get_yticklabels()] == ["180", "270", "0", "90", "180"]


def test_the_figure_says_how_many_single_skies_it_draws(skies, tmp_path):
    few = one_case(tmp_path / "few.h5", realisations=3)
    for path, number in ((few, 3), (skies, 5)):
        figure = draw("right-ascension", [path], Options(data="none"))
        texts = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
        assert [text for text in texts if "single" in text] == [f"single skies (first {number})"]


def test_the_figure_refuses_an_experiment_without_points(skies, tmp_path, monkeypatch):
    monkeypatch.setenv("HPC_CR_DATA", str(tmp_path / "data"))
    with pytest.raises(FigureError, match="Pierre Auger has no point between 6.67 and 30 PeV"):
        draw("right-ascension", [skies], Options(data="Pierre Auger"))
    draw("right-ascension", [skies])


def test_the_page_shows_commands_that_exist():
    import hpc_cr

    page = (Path(hpc_cr.__file__).parent / "docs" / "detector.md").read_text()
    shell = "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    commands = [words for line in re.split(r"\n(?=hpc-cr)", shell)
                if (words := shlex.split(line.split("|")[0]))[0] == "hpc-cr"]  # fmt: skip
    assert len(commands) >= 5
    for _, name, *arguments in commands:
        import_module(f"hpc_cr.cli.{name}").command.make_context(name, arguments)
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        compile(code, "detector.md", "exec")
