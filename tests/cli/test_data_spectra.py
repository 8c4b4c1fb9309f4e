"""hpc-cr data spectra: what is listed and what is shown."""

import pytest

from hpc_cr.cli.main import run
from hpc_cr.measurements import spectra


def test_list(capsys):
    assert run(["data", "spectra"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (ams,) = [line.split() for line in lines if line.startswith("B/C") and "AMS-02" in line]
    # 67 points of PRL 117, 231102 between 0.45 and 918 GeV per nucleon
    assert ams[2:4] == ["67", "nucleon"] and "0.447 to 918 GeV/n" in " ".join(ams)
    groups = {(p.quantity, p.experiment, p.reference) for q in spectra.quantities()
              for p in spectra.points(q)}  # fmt: skip
    assert len(lines) == len(groups) + 2  # header and the last line


def test_show(capsys):
    assert run(["data", "spectra", "B/C"]) == 0
    shown = capsys.readouterr().out
    assert "0.4465 GeV/n" in shown and " 0.0018 " in shown and " 0.015 " in shown
    assert "Aguilar et al. 2016, PRL 117, 231102, doi:10.1103/PhysRevLett.117.231102" in shown
    assert "(read from a plot)" in shown
    assert run(["data", "spectra", "H"]) == 0
    assert "(SIBYLL 2.1)" in capsys.readouterr().out


def test_mistakes_are_one_line(capsys):
    assert run(["data", "spectra", "Li"]) == 2
    captured = capsys.readouterr()
    assert "no measurement of 'Li'; there are H, He" in captured.err
    assert captured.err.count("\n") == 1 and captured.out == ""


@pytest.mark.parametrize("quantity", spectra.quantities())
def test_every_quantity_can_be_shown(quantity, capsys):
    assert run(["data", "spectra", quantity]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) > len(spectra.points(quantity))
