"""hpc-cr data sources: what is listed and what is shown."""

import pytest

from hpc_cr.cli.main import run
from hpc_cr.sources import catalogue


def test_list(capsys):
    assert run(["data", "sources"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [s.name for s in catalogue.sources()] + [d.name for d in catalogue.directions()]
    for name in names:
        assert sum(line.startswith(f"{name}  ") for line in lines) == 1
    (vela,) = [line for line in lines if line.startswith("Vela pulsar")]
    assert "287 +19 -17" in vela and "Dodson et al. 2003" in vela


def test_show(capsys):
    assert run(["data", "sources", "geminga", "SNR"]) == 0
    shown = capsys.readouterr().out
    assert "right ascension 5.50 h, declination 10.0 deg" in shown and "330 pc" in shown
    assert run(["data", "sources", "local field"]) == 0
    assert "right ascension 3.23 h" in capsys.readouterr().out
    assert run(["data", "sources", "Savchenko 2015"]) == 0
    assert "direction not known" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["vela", "nothing at all"])
def test_mistakes_are_one_line(name, capsys):
    assert run(["data", "sources", name]) == 2
    captured = capsys.readouterr()
    assert f"no nearby source '{name}'; " in captured.err
    assert captured.err.count("\n") == 1 and captured.out == ""
