"""Galaxy jobs: defaults, contradictions in one line, and texts that are read back."""

import pytest

from hpc_cr.config import JobError, parse_job

JOB = '[run]\nkind = "galaxy"\n'
NETWORK = """
[nuclei]
species = ["H1", "B10", "B11", "C12"]
network = true
[energies]
per_nucleon = ["1 GeV", "1 TeV"]
"""
LOCAL = """
[local_source]
name = "Geminga SNR"
amount = "1e52 / GV"
slope = 2.1
"""
GOOD = {
    "nothing else": "",
    "network": NETWORK,
    "local source": LOCAL,
    "source-dependent": '[diffusion]\nmodel = "source-dependent"\n',
    "slab of gas": '[gas]\nprofile = "slab"\ndensity = "2 / cm3"\n',
    "cutoff in A": '[injection]\ncutoff = "7 PV"\ncutoff_in = "A"\n',
    "connected energies": NETWORK.replace("true", "true\nionisation = true"),
    "local field": "[local_field]\ndirection = [210.5, -57.1]\n",
}


@pytest.mark.parametrize("name", GOOD)
def test_resolved_text_is_read_back_to_an_equal_job(name):
    job = parse_job(JOB + GOOD[name])
    again = parse_job(job.to_toml())
    assert again == job and again.numbers_differ(job) == []
    assert again.n_row == len(job.nuclei.species)
    assert parse_job(job.to_toml(), overrides=["halo.sun=8 kpc"]) != job


WRONG = {
    "unknown nucleus": ('[nuclei]\nspecies = ["H2"]', ["nuclei.species", '"H2"', "H1"]),
    "nucleus twice": ('[nuclei]\nspecies = ["H1", "H1"]', ["given twice"]),
    "realisations": ("[run]\nrealisations = 3", ["run.realisations: 3", "no random fields"]),
    "team": ("[parallel]\nteam_size = 2", ["parallel.team_size: 2"]),
    "turbulence": ('[turbulence]\nrms = "1 uG"', ["[turbulence]", "anisotropy"]),
    "bare diffusion": ("[diffusion]\ncoefficient = 1e28", ["diffusion.coefficient", "cm2/s"]),
    "tau without its model": ("[diffusion]\ntau = 1", ["diffusion.tau", "source-power"]),
    "wind at given rigidities": ('[diffusion]\nwind = "5 km/s"', ["energies.per_nucleon"]),
    "too fast": ('[diffusion]\nwind = "4e5 km/s"', ["diffusion.wind", "1000 km/s"]),
    "network at given rigidities": ("[nuclei]\nnetwork = true", ["energies.per_nucleon"]),
    "both axes": ('[energies]\nrigidity = ["1 GV", "1 TV"]\nper_nucleon = ["1 GeV", "1 TeV"]',
                  ["not both"]),
    "decreasing energies": ('[energies]\nrigidity = ["1 TV", "1 GV"]', ["must increase"]),
    "three energies": ('[energies]\nrigidity = ["1 GV", "1 TV", "1 PV"]', ["has 3 values"]),
    "sun outside": ('[halo]\nradius = "8 kpc"', ["halo.sun", "8000 pc"]),
    "thin cells": ('[halo]\nfirst_cell = "1e-20 pc"', ["halo.first_cell", "rounding"]),
    "thick cells": ('[halo]\nfirst_cell = "1 kpc"', ["halo.first_cell", "20 pc"]),
    "one cell number": ("[halo]\ncells = 20", ["halo.cells", "expected two"]),
    "unused gas density": ('[gas]\ndensity = "5 / cm3"', ["gas.density", '"slab"']),
    "cutoff in A of nothing": ('[injection]\ncutoff_in = "A"', ["injection.cutoff"]),
    "break without a slope": ('[injection]\nbreak_rigidity = "8 GV"', ["slope_below together"]),
    "fluxes missing": ('[nuclei]\nspecies = ["H1", "He4"]', ["injection.flux", "must be given"]),
    "no flux at all": ('[injection]\nflux = "0 / (GeV m2 s sr)"', ["is 0 for all"]),
    "heavy nuclei without a flux": (NETWORK.replace('"H1", "B10", "B11", ', ""),
                                    ["injection.flux", "C12"]),
    "two fluxes with a network": (
        NETWORK + '[injection]\nflux = ["1 / (GeV m2 s sr)", "1 / (GeV m2 s sr)"]',
        ["give one flux"]),
    "decay at given rigidities": (
        '[nuclei]\nspecies = ["H1", "Be10", "B10"]\n[injection]\nabundance = [1, 1, 1]',
        ["Be10 decays to B10", "nuclei.decay = false"]),
    "fit without helium": ('[injection]\nnormalisation = "fitted"', ["He4", "fitted"]),
    "fit without energies": (
        '[nuclei]\nspecies = ["H1", "He4"]\n[injection]\nnormalisation = "fitted"\n'
        'flux = ["1 / (GeV m2 s sr)", "1 / (GeV m2 s sr)"]\n'
        '[energies]\nrigidity = ["30 GV", "50 GV"]', ["energies from 300 GV", "10000 GV"]),
    "unknown source": (LOCAL.replace("Geminga SNR", "Gemnga SNR"),
                       ["local_source.name", "Geminga SNR"]),
    "source without amount": (LOCAL.replace('amount = "1e52 / GV"\n', ""),
                              ["local_source.amount", "must be given"]),
    "direction of nothing": ("[local_source]\ndirection = [0, 0]", ["[local_source]"]),
    "ratio of nothing": ("[local_field]\nratio = 0.1", ["needs local_field.direction"]),
    "kernel without a field": (LOCAL + 'kernel = "anisotropic"\n', ["local_field.direction"]),
    "flux where nothing is": ('[injection]\nflux_energy = "0.5 GeV"', ["rest energy"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_one_clear_line(name):
    text, words = WRONG[name]
    text = text if text.startswith("[run]") else f"[run]\n{text}"
    document = text.replace("[run]\n", JOB, 1)
    with pytest.raises(JobError) as caught:
        parse_job(document, name="galaxy.toml")
    line = str(caught.value)
    assert line.startswith("galaxy.toml: ") and "\n" not in line
    for word in words:
        assert word in line, line


def test_the_catalogue_gives_what_is_left_out():
    source = parse_job(JOB + LOCAL).local_source
    assert source.distance == 330.0 and source.direction == (194.3, -13.0)
    other = parse_job(JOB + LOCAL, overrides=['local_source.name="Vela SNR"']).local_source
    assert other.distance == 300.0 and other.age < source.age
    resolved = parse_job(parse_job(JOB + LOCAL).to_toml(), overrides=["local_source.name=Loop I"])
    assert resolved.local_source.distance == 170.0


def test_a_gradient_is_read_again_for_other_rigidities():
    """Stored vectors belong to the rigidities that they were read for."""
    text = ('[particles]\nrigidities = ["1 PV", "3 PV"]\n[gradient]\nfrom = "none.h5"\n'
            "vectors = [[1e-4, 0, 0], [2e-4, 0, 0]]\n")
    assert parse_job(text).gradient_vectors.shape == (2, 3)
    with pytest.raises(JobError, match="none.h5"):
        parse_job(text, overrides=['particles.rigidities=["2 PV", "5 PV"]'])


def test_warnings():
    assert parse_job(JOB).warnings == []
    (line,) = parse_job(JOB + "[energies]\ncount = 5\n").warnings
    assert "energies.count" in line and "interpolated" in line
