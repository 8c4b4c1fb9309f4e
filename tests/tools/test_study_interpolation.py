"""The study of interpolations: its exact field, its divergence-free field, and what its rows say.

One level of 8 shortest waves per side. The sum of waves and the curl of an interpolated vector
potential are written independently of the program's grids: a wave of 6 cells is off by 1e-3 through
B-splines, by (5^-3, the amplitude of its nearest alias) < 1e-2 through their curl.
"""

import numpy as np
import pytest

from tools.studies import interpolation_measures as measures
from tools.studies.interpolation_report import good, mean_and_error, rows, tables
from tools.studies.interpolation_schemes import (
    POTENTIAL,
    SCHEMES,
    Waves,
    boris_in_curl,
    field_function,
    make_potential,
    wave_sum,
)

WAVES = Waves(100.0, 2.0, 1, 8)


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(2).uniform(-1000, 1000, (300, 3))


def off(found, exact):
    return np.sqrt(np.mean((found - exact) ** 2) / np.mean(exact**2))


def test_both_fields_are_those_of_the_waves(points):
    exact = wave_sum(WAVES.job("B-spline", 6.0), 0, points)
    assert off(field_function(WAVES, "B-spline", 6.0, 0)(points), exact) < 1e-3
    curl = field_function(WAVES, POTENTIAL, 6.0, 0)(points)
    assert off(curl, exact) < 1e-2
    # control: a field of other waves, and the same turned round
    assert off(field_function(WAVES, "B-spline", 6.0, 1)(points), exact) > 0.5
    assert off(-curl, exact) > 1.9


def test_the_curl_has_no_divergence(points):
    exact = wave_sum(WAVES.job("B-spline", 2.7), 0, points)
    at = field_function(WAVES, POTENTIAL, 2.7, 0)
    divergence = sum((at(points + 0.02 * e) - at(points - 0.02 * e)) @ e for e in np.eye(3)) / 0.04
    slope = np.sqrt(np.mean(np.sum(exact**2, axis=1))) * 2 * np.pi / 50.0
    # differences: (k h)^2/6 with aliases of k up to 2 (2 pi/50 pc), and single-precision nodes
    assert np.sqrt(np.mean(divergence**2)) < 2e-3 * slope
    at = field_function(WAVES, "trilinear", 2.7, 0)  # control
    divergence = sum((at(points + 0.02 * e) - at(points - 0.02 * e)) @ e for e in np.eye(3)) / 0.04
    assert np.sqrt(np.mean(divergence**2)) > 1e-2 * slope


def test_particles_in_the_curl_move_as_those_of_the_program(monkeypatch):
    """200 steps of r_g/10 = 2.7 pc in waves of 50 to 100 pc, 8 cells for the shortest."""
    monkeypatch.setattr(measures, "RIGIDITY", 100.0)
    directions, origins = np.eye(3), np.zeros((3, 3))
    found = [measures.displacements(WAVES, scheme, 8.0, 0, origins, directions,
                                    np.array([20.0, 100.0]))
             for scheme in ("B-spline", POTENTIAL)]
    # the path is 100 pc, the fields differ by less than 1e-2 over 3.7 gyroradii
    assert np.abs(found[0] - found[1]).max() < 1.0
    out = np.empty((1, 3, 3))
    boris_in_curl(make_potential(WAVES.job("B-spline", 8.0), 0), 1 / 108.1, origins, directions,
                  np.array([40]), np.array([2.5]), out)
    assert np.abs(out[0] - found[0][1]).max() > 5.0  # control: the other charge


def study(changed=0.0):
    """A study's numbers with `changed` % in D and M of trilinear interpolation."""
    generator = np.random.default_rng(1)
    common = generator.uniform(0.9, 1.1, (8, 2, 2))
    transport = []
    for realisation in range(8):
        one = {}
        for scheme, cells in measures.SETUPS["isotropic"].cases():
            factor = 1 + 1e-4 * generator.standard_normal((2, 2))
            if scheme == "trilinear":
                factor = factor + changed / 100
            one[f"{scheme}|{cells:g}"] = (common[realisation] * factor).tolist()
        transport.append(one)
    field = [{f"{s}|{c:g}": [0.1 / c, 0.2] for s in (*SCHEMES, POTENTIAL) for c in measures.CELLS}
             for _ in range(2)]
    kernel = {f"{name}|{rigidity}": [1.0, 1.1, 0.9]
              for name in measures.KERNELS for rigidity in ("1", "10")}
    plain = {"B-spline": [2.0, 2.1, 2.0], POTENTIAL: [4.0, 4.2, 4.0]}
    return {"settings": {"longest_pc": 100.0, "shortest_pc": 0.1,
                         "one": {"stops": [1.0, 5.0], "observers": 4}},
            "field": field, "transport": {"one": transport},
            "time": {"kernel": kernel, "plain": plain}}


def test_rows_tell_a_change_from_the_reference():
    assert all(good(row, ["one"]) for row in rows(study()) if row.changes)
    assert not any(good(row, ["one", "another"]) for row in rows(study()))
    changed = rows(study(3.0))
    assert [row.scheme for row in changed if row.changes and not good(row, ["one"])
            ] == ["trilinear"] * len(measures.CELLS)
    row = next(row for row in changed if row.scheme == "trilinear")
    # 3 % of means over the same realisations: their scatter of 6 % drops out
    value, error = row.changes["one"]
    np.testing.assert_allclose(value, 3.0, atol=0.02)
    assert np.all(error < 0.02)
    assert "trilinear 4" in tables(study())


def test_mean_and_error():
    assert mean_and_error([1.0, 3.0]) == (2.0, 1.0)
