"""Giacinti & Sigl (2012, PRL 109, 071101) on a small run of its own job.

The shipped job with few particles on coarse grids: nside 8 (16 for the patch), three fields for
the ensemble, spheres of 10 to 250 pc. Its numbers mean little; that every figure and statement
comes from the file, and the trajectories are those of the run, does not depend on the size.
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import h5py
import healpy
import numpy as np
import pytest

from hpc_cr import open_results
from hpc_cr.anisotropy import skymaps
from hpc_cr.config.shipped import shipped_jobs
from hpc_cr.figures import draw, panels, sky_values, trajectories
from hpc_cr.figures.panels import Options
from hpc_cr.frames import patch_pixels
from hpc_cr.io.errors import ResultError
from hpc_cr.papers import VERDICTS
from hpc_cr.papers import giacinti_sigl2012 as paper

NSIDE = {"maps": 256, "energies": 64, "ensemble": 32, "large-scale": 64}
SMALL = {"cells = 128": "cells = 24\nperiods = 2", "realisations\" = 100": "realisations\" = 3",
         "realisations\" = 10": "realisations\" = 2", "l_max = 40": "l_max = 8",
         '"particles.nside" = 1024': '"particles.nside" = 16',
         "displacement = true": "displacement = true\nfinal_direction = true"}  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("giacinti")
    text = shipped_jobs()["giacinti_sigl2012"].read_text(encoding="utf-8")
    for old in NSIDE.values():
        text = text.replace(f'particles.nside" = {old}', 'particles.nside" = 8')
    for old, new in SMALL.items():
        assert old in text
        text = text.replace(old, new)
    job, out = folder / "giacinti_sigl2012.toml", folder / "giacinti_sigl2012.h5"
    job.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "hpc_cr", "run", job, "-o", out, "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ)
    assert done.returncode == 0, done.stderr
    return out


def stored(path, case, name):
    with h5py.File(path, "r", locking=False) as file:  # as the reader, which may have it open
        return file[f"case/{case}/anisotropy/{name}"][...]


@contextmanager
def of_case(path, case, **options):
    """The one panel of a case."""
    with open_results(path) as results:
        (panel,) = panels.select([results], Options(cases=(case,), **options), parts=True)
        yield panel


def test_every_figure_of_the_paper(path):
    drawn = {}
    for number, figure in paper.FIGURES.items():
        drawn[number] = draw(figure.figure, [path], Options(**figure.options))
    maps = [axes for axes in drawn["figure 2"].axes if axes.get_label() != "<colorbar>"]
    assert len(maps) == 8  # two rigidities, four radii
    titles = [axes.get_title() for axes in maps]
    assert [title.split(" pc")[0].split("= ")[1] for title in titles] == 2 * [
        "100", "50", "25", "10"]  # fmt: skip
    titles = [axes.get_title() for axes in drawn["figure 1"].axes]
    assert any("10 PV" in title for title in titles) and any("50 PV" in title for title in titles)
    labels = " ".join(axes.get_ylabel() + axes.get_xlabel() for axes in drawn["significance"].axes)
    assert "standard deviations" in labels


def test_trajectories_end_where_the_job_left_them(path):
    pixels = patch_pixels(16, 165, 15, 40)
    chosen = np.arange(0, len(pixels), len(pixels) // 4)[:4]
    crossings = stored(path, "patch", "displacement")[0, 0][:, :, chosen].swapaxes(1, 2)
    # a direction from angles differs by rounding from the pixel's own, which chaos makes large on
    # the way to the largest sphere (hundreds of gyroradii): here up to 50 pc, float32 in the file
    longitude, latitude = healpy.pix2ang(16, pixels[chosen], lonlat=True)
    directions = list(zip(longitude, latitude, strict=True))
    with of_case(path, "patch") as panel:
        paths = trajectories.paths_of(panel, directions, 0)
    np.testing.assert_allclose(paths.displacement[:3], crossings[:3], atol=1e-4)
    for points, last in zip(paths.points, paths.displacement[-1], strict=True):
        step = np.linalg.norm(np.diff(points, axis=0), axis=1)
        # steps of r_g/5, the first point in the middle of the second; the path ends on the sphere
        assert step.max() < 1.51 * 2.7025 / 5
        assert np.linalg.norm(last) == pytest.approx(250.0) and np.array_equal(points[-1], last)
        # the last point before it may lie half a step beyond
        assert (np.linalg.norm(points[:-1], axis=1) < 250.0 + 0.5 * 2.7025 / 5).all()
    # negative control: another realisation's field
    with open_results(path, "ensemble") as results:
        other = panels.Panel(results, 0, 4, Options(), "")
        wrong = trajectories.paths_of(other, directions, 1)
    assert np.abs(wrong.displacement[0] - crossings[0]).max() > 1.0


def test_paths_with_the_bits_of_the_run(path):
    """Started along the pixels' own unit vectors the paths are the job's on all spheres."""
    from hpc_cr import make_field
    from hpc_cr.campaigns.work import plan_of
    from hpc_cr.trajectories.paths import follow

    with open_results(path, "maps") as results:
        job = results.job
    n = np.column_stack(healpy.pix2vec(8, np.arange(0, 768, 100)))
    paths = follow(make_field(job, 0), plan_of(job, 0), n)
    crossings = stored(path, "maps", "displacement")[0, 0][:, :, ::100].swapaxes(1, 2)
    np.testing.assert_array_equal(paths.displacement.astype(np.float32), crossings)


def test_part_of_the_sky_has_the_whole_skys_dipole_subtracted(path):
    with of_case(path, "patch") as panel:
        view = trajectories.view_of(panel, Options(smooth=6.0))
    assert "whole sky" in view.note
    assert view.longitude[0] > 145 and view.longitude[-1] < 185
    # at the middle: the mean over the disc of the pixels, minus monopole and dipole of `maps`
    # the gradient points to l = 180
    whole = -stored(path, "maps", "displacement")[0, 0, -1, 0].astype(float) / 290
    pixels = patch_pixels(16, 165, 15, 40)
    disc = healpy.query_disc(16, healpy.ang2vec(165, 15, lonlat=True), np.radians(view.radius))
    intensity = -stored(path, "patch", "displacement")[0, 0, -1, 0].astype(float) / 290
    mean = intensity[np.isin(pixels, disc)].mean()
    fit = skymaps.subtract_dipole(whole)
    place = healpy.ang2vec(165, 15, lonlat=True)
    middle = len(view.latitude) // 2
    assert view.values[middle, middle] == pytest.approx(
        mean - fit.monopole - fit.dipole @ place, abs=1e-3
    )
    with pytest.raises(ResultError, match="trajectories shows it"):
        draw("sky-map", [path], Options(cases=("patch",)))


def test_trajectories_figure(path):
    directions = ((160.0, 10.0), (170.0, 20.0))
    figure = draw("trajectories", [path], Options(cases=("patch",), directions=directions))
    axes = [one for one in figure.axes if one.get_label() != "<colorbar>"]
    assert len(axes) == 4
    crosses = [line for line in axes[0].lines if line.get_gid() == "start"]
    np.testing.assert_allclose([line.get_xydata()[0] for line in crosses], directions)
    low, high = axes[0].get_xlim()
    assert low > high  # longitude grows to the left
    assert [round(one.get_xlim()[1]) for one in axes[1:]] == [200, 20, 3]
    for one in axes[1:]:
        paths = [line for line in one.lines if line.get_gid() == "path"]
        assert len(paths) == 2
        np.testing.assert_array_equal([line.get_xydata()[0] for line in paths], np.zeros((2, 2)))
    with pytest.raises(ResultError, match="too many"):
        draw("trajectories", [path], Options(cases=("patch",), directions=7 * directions))


def test_local_term_from_maps_and_from_multipoles(path):
    """3 U K g with the stored U, and from its multipoles: the same up to l_max."""
    with of_case(path, "maps", local_term=True, rigidities=("50 PV",)) as panel:
        intensity, source = sky_values.intensity_of(panel, 0)
    assert source == ""
    tensor = np.trace(stored(path, "maps", "response")[0, 1, -1]) / 9
    x = stored(path, "maps", "displacement")[0, 1, -1].astype(float)
    u = stored(path, "maps", "final_direction")[0, 1, -1].astype(float)
    np.testing.assert_allclose(intensity, 1 - (x[0] + 3 * tensor * u[0]) / 290, atol=1e-9)
    # negative control: without the factor 3
    assert np.abs(intensity - 1 + (x[0] + tensor * u[0]) / 290).max() > 0.01


def test_statements_say_what_was_measured(path):
    with open_results(path) as results:
        found = paper.statements(results)
    assert len(found) > 30
    for one in found:
        assert one.verdict in VERDICTS and one.text and one.paper and one.where
        assert np.isfinite(one.error) or one.verdict == "open"
    text = {one.text: one for one in found}
    length = text["mean free path lambda at 10 PV"]
    trace = np.trace(stored(path, "ensemble", "response")[:, 0, -1], axis1=1, axis2=2) / 3
    assert length.value == pytest.approx(trace.mean())
    assert length.error == pytest.approx(trace.std(ddof=1) / np.sqrt(3))
    noise = text["noise of the smoothed map at 10 PV, R = 250 pc"]
    # 768 particles: far above half a percent, and said so
    assert noise.verdict == "differs" and noise.value > 2


def test_equation_8_multipole_by_multipole(path):
    """Against sums over the a_lm of the file, for a sphere of 25 pc and the job's gradient."""
    with open_results(path) as results:
        rows = paper.equation_8(results, 50.0, 25.0, l_max=4)
    alm = -stored(path, "ensemble", "alm_half")[:, 1, :, :, 0] / 290  # towards l = 180
    near, last = alm[:, 1], alm[:, -1]
    length = np.trace(stored(path, "ensemble", "response")[:, 1, -1].mean(axis=0)) / 3

    def spectrum(first, second):
        pairs = zip(first, second, strict=True)
        both = [(healpy.alm2cl(f[0], s[1]) + healpy.alm2cl(f[1], s[0])) / 2 for f, s in pairs]
        return np.mean(both, axis=0)

    cross, square, power = spectrum(near, last), spectrum(near, near), spectrum(last, last)
    for ell, row in enumerate(rows, 1):
        assert row[0] == ell
        if min(square[ell], power[ell]) > 0:
            assert row[1] == pytest.approx(cross[ell] / np.sqrt(square[ell] * power[ell]))
            slope = cross[ell] / square[ell]
            np.testing.assert_allclose(row[3:7:2], [slope * 25 / length, slope])
            assert row[7] == pytest.approx(np.sqrt(power[ell]) / (length / 290))
        else:
            assert np.isnan(row[1])
    assert np.isfinite(rows[0][1])


class One:
    """A file with a single case."""

    def __init__(self, results):
        self.results, self.path = results, results.path

    def each_case(self):
        return iter([self.results])


def test_statements_of_a_file_with_fewer_cases(path):
    with open_results(path, "large-scale") as results:
        found = paper.statements(One(results))
    assert [one.where for one in found] == ["p. 4", "p. 4"]


def test_statements_of_a_file_of_an_older_version(path, tmp_path):
    """Version 2 has no multipoles of U: all rows are there, without what U adds to one of them."""
    old = shutil.copy(path, tmp_path / "old.h5")
    with h5py.File(old, "r+") as file:
        file.attrs["format_version"] = 2
        for case in file["case"].values():
            for name in ("anisotropy/direction_alm_half", "anisotropy/memory",
                         "anisotropy/local_field", "axes/smoothing"):  # fmt: skip
                del case[name]
    with open_results(path) as new, open_results(old) as results:
        expected, found = paper.statements(new), paper.statements(results)
    assert [one.text for one in found] == [one.text for one in expected]
    slopes = [[one.note for one in rows if "slope of a_lm, lambda G_p" in one.text]
              for rows in (expected, found)]  # fmt: skip
    assert all("lambda U" in note for note in slopes[0]) and len(slopes[0]) == 2
    assert not any("lambda U" in note for note in slopes[1])


def test_directions_outside_of_the_patch_are_refused(path):
    with pytest.raises(ResultError, match=r"direction 10,5 is outside .* l = 15\d.* b = "):
        draw("trajectories", [path], Options(cases=("patch",), directions=((165, 15), (10, 5))))


def test_default_directions_are_the_extrema_of_what_is_shown(path):
    figure = draw("trajectories", [path], Options(cases=("patch",)))
    crosses = [line.get_xydata()[0] for line in figure.axes[0].lines if line.get_gid() == "start"]
    with of_case(path, "patch") as panel:
        view = trajectories.view_of(panel, Options())
    np.testing.assert_allclose(crosses, trajectories.extremes_of(view))
    values = [view.values[np.argmin(np.abs(view.latitude - latitude)),
                          np.argmin(np.abs(view.longitude - longitude))]
              for longitude, latitude in crosses]  # fmt: skip
    assert values[0] >= values[1] > values[3] >= values[2]
    for axes in figure.axes[1:4]:
        (star,) = [line for line in axes.lines if line.get_gid() == "gradient"]
        half_width = axes.get_xlim()[1]  # towards l = 180, on the frame's left
        np.testing.assert_allclose(star.get_xydata(), [[-half_width, 0]], atol=1e-9)
