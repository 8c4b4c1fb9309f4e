"""A part of the sky, and what is recorded of the field, in a small real run.

A particle's path depends on its own direction alone: a patch holds the same numbers, bit for bit,
as the whole sky at its pixels. Its pixels are those whose centres lie within half a width in l and
in b; their number over the sky's is close to the share of the solid angle.
"""

import subprocess
import sys

import numpy as np
import pytest

from hpc_cr import make_field, open_results
from hpc_cr.fields.nested import smoothed_field
from hpc_cr.frames import lon_lat, patch_pixels
from hpc_cr.trajectories.directions import healpix_directions

JOB = """
[run]
realisations = 1
[turbulence]
outer_scale = "20 pc"
inner_scale = "1 pc"
[grids]
cells = 24
levels = 2
periods = 2
[particles]
rigidities = ["20 PV", "80 PV"]
nside = 8
[boundary]
times = ["3 pc", "10 pc"]
[output]
displacement = true
l_max = 2
[[case]]
name = "sky"
[[case]]
name = "part"
set = { "particles.patch" = { l = 350, b = -20, width = 50 } }
"""
PATCH = (350, -20, 50)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patch")
    (folder / "job.toml").write_text(JOB)
    done = subprocess.run([sys.executable, "-m", "hpc_cr", "run", "job.toml"], cwd=folder,
                          capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return folder / "job.h5", done.stdout


def test_patch_is_that_part_of_the_sky(out):
    pixels = patch_pixels(8, *PATCH)
    with open_results(out[0], case="sky") as sky, open_results(out[0], case="part") as part:
        assert part.job.n_pix == len(pixels)
        for rig in (0, 1):
            whole, some = (r.maps("displacement", 0, rig, stop=...) for r in (sky, part))
            np.testing.assert_array_equal(some, whole[..., pixels])
            assert np.any(some != whole[..., pixels - 1])  # control: other pixels differ
        assert np.isfinite(sky.response).all() and np.isfinite(sky.memory).all()
        for nothing in (part.response, part.noise, part.alm, part.direction_alm_half, part.memory):
            assert np.isnan(nothing).all()


def test_pixels_lie_inside_and_none_is_missing():
    pixels = patch_pixels(64, *PATCH)
    lon, lat = lon_lat(healpix_directions(64))
    inside = (np.abs((lon - 350 + 180) % 360 - 180) <= 25) & (np.abs(lat + 20) <= 25)
    np.testing.assert_array_equal(pixels, np.flatnonzero(inside))
    share = 50 / 360 * (np.sin(np.radians(5)) - np.sin(np.radians(-45))) / 2
    assert len(pixels) / (12 * 64**2) == pytest.approx(share, rel=0.02)


def test_local_field(out):
    """What the file holds is the field of the same job, averaged over the balls that it names."""
    with open_results(out[0], case="sky") as sky:
        field = make_field(sky.job, 0)
        radii = sky.smoothing
        assert np.all(radii[:, 0] == 0)
        assert np.allclose(radii[:, 1], np.minimum(sky.job.gyroradii, 20.0))  # at most L_max
        assert np.all(np.diff(radii) >= 0)
        for rig in (0, 1):
            expected = smoothed_field(field.at, sky.observers[0], radii[rig])
            np.testing.assert_array_equal(sky.local_field[0, rig], expected)
            other = smoothed_field(make_field(sky.job, 1).at, sky.observers[0], radii[rig])
            assert not np.allclose(sky.local_field[0, rig], other)
