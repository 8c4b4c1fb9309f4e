"""Closing table, JSON and plan of a galaxy job: the file's numbers, with units.

Checked against the model of the job itself: the flux asked for at 100 GeV, the diffusion
coefficient by its formula, the dipole's phase in the direction of the local field.
"""

import json

import galaxy_files
import numpy as np
import pytest

import hpc_cr
from hpc_cr.cli.main import run
from hpc_cr.cli.summaries.galaxy import points
from hpc_cr.constants import PC_C_CM2_PER_S


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return galaxy_files.run(tmp_path_factory.mktemp("summary"), galaxy_files.small_job())


def at(path, case, energy):
    with hpc_cr.open_results(path, case) as results:
        return next(point for point in points(results) if point["energy_GeV"] == energy)


def test_flux_is_the_one_that_was_asked_for(path):
    """Background and local source at 100 GeV of protons; the source's share is known alone."""
    with hpc_cr.open_results(path, "as-printed") as results:
        local = results.flux("H1", np.array([100.0])).local[0]
    found = at(path, "as-printed", 100.0)["flux"]["H1"]
    assert found - local == pytest.approx(1.91e-2, rel=5e-3)
    assert found != pytest.approx(1.91e-2, rel=0.1)  # control: the local source counts


def test_coefficient_is_that_along_the_local_field(path):
    with_field, without = (at(path, case, 1e4) for case in ("as-printed", "isotropic"))
    assert with_field["diffusion_cm2_per_s"] == pytest.approx(without["diffusion_cm2_per_s"])
    # D0 F (R/4 GV)^(0.58 F) with F(Sun) = 0.31
    expected = 4.87e28 * 0.31 * (1e4 / 4) ** (0.58 * 0.31)
    assert with_field["diffusion_cm2_per_s"] == pytest.approx(expected, rel=1e-3)


def test_gradient_and_phase(path):
    found = at(path, "rise-0", 1e4)
    assert -0.4 < found["dlnN_dr_per_kpc"] < -0.1  # fewer cosmic rays outwards
    # D_perp/D_par = 0.01: along the field, RA 3.23 h, to atan(0.01 tan(angle)) = a few degrees
    assert found["phase_h"] == pytest.approx(3.23, abs=0.1)
    assert at(path, "isotropic", 1e4)["phase_h"] == pytest.approx(5.5, abs=0.1)  # control: Geminga


def test_json_is_valid_and_names_units(path, capsys):
    assert run(["info", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["kind"] == "galaxy" and document["complete"]
    one = document["results"][0]
    assert {"energy_GeV", "diffusion_cm2_per_s", "dlnN_dr_per_kpc", "phase_h"} <= set(one)
    with hpc_cr.open_results(path, "as-printed") as results:
        tensor = results.tensor(results.rigidity_at("H1", np.array([one["energy_GeV"]])))[0]
    assert one["diffusion_cm2_per_s"] == pytest.approx(
        np.linalg.eigvalsh(tensor)[-1] * PC_C_CM2_PER_S)


def test_table_says_what_the_grid_still_changes_and_what_was_fitted(path, capsys):
    assert run(["info", str(path)]) == 0
    text = capsys.readouterr().out
    assert text.count("half the cells change fluxes by up to") == len(galaxy_files.CASES)
    assert text.count("factors fitted to measured fluxes:") == 2
    assert "million unknowns per second" in text and "particle-steps" not in text


def test_plan_without_running(tmp_path, capsys):
    (tmp_path / "halo.toml").write_text('[run]\nkind = "galaxy"\n[halo]\ncells = [40, 30]\n')
    assert run(["plan", str(tmp_path / "halo.toml"), "--ranks", "2"]) == 0
    text = capsys.readouterr().out
    assert "cells 40 x 30, 500 pc in radius" in text
    assert "core-hours" in text and "MiB per rank" in text
    assert "cm2/s at 10 GV" in text
