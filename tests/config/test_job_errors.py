"""Every mistake in a job file is one line: file, key, value, what is allowed."""

import pickle

import numpy as np
import pytest

from hpc_cr.config import JobError, load_job, parse_job
from hpc_cr.config.loader import KEYS

# text, words that the line must hold; the first is the key
MISTAKES = {
    "unknown key": ('[particles]\nrigidity = ["1 PV"]',
                    ["particles.rigidity: unknown key; did you mean particles.rigidities?"]),
    "unknown section": ("[particle]\nnside = 8",
                        ["[particle]: unknown section; did you mean particles?"]),
    "unknown section, unlike": ("[xyz]\na = 1", ["unknown section", "turbulence"]),
    "unknown top-level key": ("seed = 1", ["seed: unknown"]),
    "key of another section": ("[turbulence]\nnside = 8",
                               ["turbulence.nside: unknown key; did you mean particles.nside?"]),
    "misspelt key of another section": (
        "[run]\nteam_sise = 2",
        ["run.team_sise: unknown key; did you mean parallel.team_size?"]),
    "key like nothing": ("[run]\nqqqq = 2", ["run.qqqq: unknown key; the keys of [run] are kind"]),
    "section as a value": ("run = 3", ["run: 3 is not a table; write [run]"]),
    "unknown kind": ('[run]\nkind = "anisotropies"',
                     ['run.kind: "anisotropies" is not allowed; expected "anisotropy"']),
    "gradient from a file": ('[gradient]\nfrom = "galaxy.h5"',
                             ["gradient.from: galaxy.h5", "no such file"]),
    "bare number": ("[turbulence]\nrms = 4", ["turbulence.rms: 4 has no unit", '"4 uG"']),
    "no unit": ('[turbulence]\nouter_scale = "100"', ["turbulence.outer_scale", "has no unit"]),
    "wrong unit": ('[turbulence]\nouter_scale = "100 uG"',
                   ["turbulence.outer_scale", '"100 uG" is not a length', '"100 pc"']),
    "energy for rigidity": ('[particles]\nrigidities = ["10 TeV"]',
                            ["particles.rigidities", '"10 TeV" is not a rigidity in volts']),
    "unknown unit": ('[turbulence]\nrms = "4 muG"',
                     ["turbulence.rms", 'unknown unit "muG"']),
    "negative rigidity": ('[particles]\nrigidities = ["1 PV", "-10 TV"]',
                          ["particles.rigidities", '"-10 TV" must be positive']),
    "zero rigidity": ('[particles]\nrigidities = ["0 TV"]', ["must be positive"]),
    "no rigidity": ("[particles]\nrigidities = []", ["particles.rigidities: the list is empty"]),
    "rigidity twice": ('[particles]\nrigidities = ["1 PV", "1000 TV"]',
                       ["particles.rigidities: 1.0 PV is given twice"]),
    "negative field": ('[turbulence]\nrms = "-4 uG"',
                       ['turbulence.rms: "-4 uG" must not be negative']),
    "L_min > L_max": ('[turbulence]\nouter_scale = "10 pc"\ninner_scale = "20 pc"',
                      ["turbulence.inner_scale: L_min = 20 pc must be below L_max = 10 pc"]),
    "spectrum and slope": ('[turbulence]\nspectrum = "kolmogorov"\nslope = 1.7',
                           ["turbulence.slope: give spectrum or slope, not both"]),
    "slope as text": ('[turbulence]\nslope = "5/3"', ['turbulence.slope: "5/3" is not a number']),
    "slope not positive": ("[turbulence]\nslope = 0", ["turbulence.slope: 0 must be above 0"]),
    "slope not finite": ("[turbulence]\nslope = nan", ["turbulence.slope: nan is not a finite"]),
    "unknown spectrum": ('[turbulence]\nspectrum = "Kolmogoroff"',
                         ["turbulence.spectrum", 'expected "kolmogorov" or "kraichnan"']),
    "too few levels": ('[turbulence]\ninner_scale = "0.01 pc"\n[grids]\nlevels = 2\ncells = 64',
                       ["grids.levels: 2 levels of 64 cells leave", "at least 2", "grids.cells"]),
    "too many levels": ('[turbulence]\ninner_scale = "99 pc"\n[grids]\nlevels = 16',
                        ["grids.levels", "too many"]),
    "auto cannot": ("[grids]\ncells = 16\nperiods = 8", ["grids.cells: 16 cells", "cannot carry"]),
    "cells odd": ("[grids]\ncells = 63", ["grids.cells: 63 is odd", "must be even"]),
    "cells as a fraction": ("[grids]\ncells = 64.5",
                            ["grids.cells: 64.5 is not a whole number"]),
    "too few cells": ("[grids]\ncells = 4", ["grids.cells: 4 must be at least 8"]),
    "periods": ("[grids]\nperiods = 0.5", ["grids.periods: 0.5 must be at least 1"]),
    "levels as a word": ('[grids]\nlevels = "many"',
                         ['grids.levels: "many" is neither "auto" nor a whole number']),
    "levels zero": ("[grids]\nlevels = 0", ["grids.levels: 0 must be between 1 and 16"]),
    "truth as a number": ("[grids]\nrotate = 1", ["grids.rotate: 1", "expected true or false"]),
    "number as a truth": ("[run]\nseed = true", ["run.seed: true is not a whole number"]),
    "boxes alone": ('[grids]\nboxes = ["400 pc"]', ["grids.boxes: needs grids.bands"]),
    "bands alone": ('[grids]\nbands = [["100 pc", "20 pc"]]', ["grids.bands: needs grids.boxes"]),
    "boxes and levels": ('[grids]\nlevels = 2\nboxes = ["400 pc"]\nbands = [["100 pc", "20 pc"]]',
                         ["grids.levels: give levels, or boxes and bands"]),
    "unequal boxes": ('[grids]\nboxes = ["400 pc", "40 pc"]\nbands = [["100 pc", "20 pc"]]',
                      ["grids.boxes: 2 boxes for 1 bands"]),
    "bands overlap": ('[grids]\nboxes = ["400 pc", "90 pc"]\n'
                      'bands = [["100 pc", "20 pc"], ["25 pc", "5 pc"]]',
                      ["grids.bands: band 2 begins at 25 pc", "without overlap"]),
    "band reversed": ('[grids]\nboxes = ["400 pc", "400 pc"]\n'
                      'bands = [["100 pc", "20 pc"], ["5 pc", "15 pc"]]',
                      ["grids.bands: band 2 must be [longest, shortest]"]),
    "box too small": ('[grids]\nboxes = ["40 pc"]\nbands = [["100 pc", "20 pc"]]',
                      ["grids.boxes: box 1 of 40 pc does not hold"]),
    "box too coarse": ('[grids]\ncells = 64\nboxes = ["400 pc"]\nbands = [["100 pc", "1 pc"]]',
                       ["grids.bands", "0.16 cells", "at least 2"]),
    "bands against scale": ('[turbulence]\nouter_scale = "150 pc"\n[grids]\nboxes = ["400 pc"]\n'
                            'bands = [["100 pc", "20 pc"]]',
                            ["turbulence.outer_scale: 150 pc contradicts grids.bands"]),
    "band without a wave": ('[grids]\nboxes = ["100 pc"]\nbands = [["90 pc", "80 pc"]]',
                            ["grids.bands: no wave of box 1, 100 pc, has a length between 90"]),
    "band of three": ('[grids]\nboxes = ["400 pc"]\nbands = [["100 pc", "20 pc", "5 pc"]]',
                      ["grids.bands", "is not a band"]),
    "strength without model": ('[regular]\nstrength = "3 uG"',
                               ['regular.strength: needs regular.model = "uniform"']),
    "direction without model": ("[regular]\ndirection = [0, 0]",
                                ['regular.direction: needs regular.model = "uniform"']),
    "model without strength": ('[regular]\nmodel = "uniform"\ndirection = [0, 0]',
                               ["regular.strength: must be given"]),
    "model without direction": ('[regular]\nmodel = "uniform"\nstrength = "3 uG"',
                                ["regular.direction: must be given"]),
    "model of a later version": ('[regular]\nmodel = "jf13"',
                                 ['regular.model: "jf13" is not allowed; expected "none"']),
    "strength of the Galaxy": ('[regular]\nmodel = "jf12"\nstrength = "3 uG"',
                               ['regular.strength: needs regular.model = "uniform"']),
    "parts without the Galaxy": ('[regular]\ncomponents = ["disk"]',
                                 ['regular.components: needs regular.model = "jf12"']),
    "part twice": ('[regular]\nmodel = "jf12"\ncomponents = ["disk", "disk"]',
                   ['regular.components: "disk" is given twice']),
    "scale without profile": ('[turbulence]\nradial_scale = "10 kpc"',
                              ['turbulence.radial_scale: needs turbulence.profile = "jf12-halo"']),
    "halo without escape": ('[boundary]\nkind = "halo"',
                            ['boundary.kind: "halo" is for kind = "escape"']),
    "escape with times": ('[run]\nkind = "escape"\n[boundary]\ntimes = ["1 kpc"]',
                          ['boundary.times: is not for kind = "escape"']),
    "sources above the halo": ('[run]\nkind = "escape"\n[escape]\nhalf_height = "6 kpc"',
                               ["escape.half_height: 6000 pc must be below"]),
    "small Galaxy": ('[run]\nkind = "escape"\n[boundary]\nradius = "8 kpc"',
                     ["boundary.radius: 8000 pc must be beyond the Sun"]),
    "gas without unit": ('[run]\nkind = "escape"\n[gas]\ndensity = 1.0',
                         ["gas.density: 1.0 has no unit"]),
    "gas without escape": ('[gas]\ndensity = "1 / cm3"', ["[gas]: is for kind"]),
    "direction with units": ('[gradient]\ndirection = ["90 deg", "0 deg"]',
                             ["gradient.direction", "bare numbers in degrees"]),
    "direction of three": ("[gradient]\ndirection = [1, 0, 0]",
                           ["gradient.direction: [1, 0, 0] is not a direction"]),
    "latitude": ("[gradient]\ndirection = [0, 100]", ["gradient.direction: latitude 100"]),
    "nside": ("[particles]\nnside = 12",
              ["particles.nside: 12 is not a power of two; the nearest are 8 and 16"]),
    "nside and count": ("[particles]\nnside = 8\ncount = 100",
                        ["particles.count: give nside or count, not both"]),
    "observers": ("[particles]\nobservers = 0", ["particles.observers: 0 must be at least 1"]),
    "times not increasing": ('[boundary]\ntimes = ["20 pc", "10 pc"]',
                             ["boundary.times: 10 after 20: values must increase"]),
    "times equal": ('[boundary]\ntimes = [3, 3]\ntimes_in = "L_c"', ["3 after 3"]),
    "times bare": ("[boundary]\ntimes = [20, 40]", ["boundary.times: 20 has no unit"]),
    "times with units in lambda": ('[boundary]\ntimes = ["20 pc"]\ntimes_in = "lambda"',
                                   ["boundary.times", "times are bare numbers"]),
    "times negative": ('[boundary]\ntimes = ["-20 pc"]', ["boundary.times", "positive"]),
    "times empty": ("[boundary]\ntimes = []", ["boundary.times: the list is empty"]),
    "times_in unknown": ('[boundary]\ntimes = [1]\ntimes_in = "Lc"',
                         ['boundary.times_in: "Lc" is not allowed', '"L_c"']),
    "lambda without scattering": ('[turbulence]\nrms = "0 uG"',
                                  ["boundary.times_in", "infinite", "give boundary.times"]),
    "sphere without radii": ('[boundary]\nkind = "sphere"', ["boundary.radii: must be given"]),
    "sphere with times": ('[boundary]\nkind = "sphere"\nradii = ["1 pc"]\ntimes = ["1 pc"]',
                          ["boundary.times: needs boundary.kind"]),
    "radii without sphere": ('[boundary]\nradii = ["10 pc"]',
                             ['boundary.radii: needs boundary.kind = "sphere"']),
    "radii not increasing": ('[boundary]\nkind = "sphere"\nradii = ["10 pc", "5 pc"]',
                             ["boundary.radii: 5 after 10"]),
    "limit too short": ('[boundary]\nkind = "sphere"\nradii = ["10 pc"]\nlimit = "5 pc"',
                        ["boundary.limit: 5 pc must be longer"]),
    "magnitude without direction": ('[gradient]\nmagnitude = "0.00345 / pc"',
                                    ["gradient.direction: gradient.magnitude needs a direction"]),
    "scale without direction": ('[gradient]\nscale_length = "290 pc"',
                                ["gradient.direction: gradient.scale_length needs a direction"]),
    "magnitude and scale": ('[gradient]\ndirection = [0, 0]\nmagnitude = "1 / kpc"\n'
                            'scale_length = "1 kpc"', ["gradient.scale_length", "not both"]),
    "magnitude as a length": ('[gradient]\ndirection = [0, 0]\nmagnitude = "290 pc"',
                              ["gradient.magnitude", "is not an inverse length"]),
    "gradients per rigidity": ('[gradient]\ndirection = [0, 0]\nscale_length = ["1 kpc", "2 kpc"]',
                               ["gradient.scale_length: 2 values for 1 rigidities"]),
    "steps": ("[integrator]\nsteps_per_gyroradius = 0",
              ["integrator.steps_per_gyroradius: 0 must be above 0"]),
    "method": ('[integrator]\nmethod = "euler"', ["integrator.method", '"boris" or "cash-karp"']),
    "l_max": ("[particles]\nnside = 4\n[output]\nl_max = 12",
              ["output.l_max: 12 is more than 3 nside - 1 = 11"]),
    "too many realisations": ("[run]\nrealisations = 99999999999999999999",
                              ["run.realisations: 99999999999999999999 must be at most 1000000"]),
    "too many rows": ("[run]\nrealisations = 1000\n[particles]\nobservers = 1001",
                      ["particles.observers: 1000 realisations of 1001 observers are more than"]),
    "too many directions": ("[particles]\ncount = 100000000000000",
                            ["particles.count: 100000000000000 must be at most 12582912"]),
    "too many observers": ("[particles]\nobservers = 10000000000",
                           ["particles.observers: 10000000000 must be at most 1000000"]),
    "too many waves": ("[turbulence]\nwaves = 10000000000",
                       ["turbulence.waves: 10000000000 must be at most 1000000"]),
    "too large a team": ("[parallel]\nteam_size = 99999999999",
                         ["parallel.team_size: 99999999999 must be at most 4096"]),
    "l_max with count": ("[particles]\ncount = 100\n[output]\nl_max = 65",
                         ["output.l_max: 65 is more than 64, the most for random directions"]),
    "quantity beyond reason": ('[turbulence]\nrms = "1e300 uG"',
                               ['turbulence.rms: "1e300 uG" is not between 1e-30 and 1e+30 uG']),
    "rigidity too low to follow": (
        '[particles]\nrigidities = ["1e-20 PV"]\n[boundary]\ntimes = ["60 pc"]',
        ["particles.rigidities: 1e-20 PV needs 1e+23 steps of 5e-22 pc to reach 60 pc, more than",
         "boundary.times"]),
    "rigidity too high to be scattered": ('[particles]\nrigidities = ["1e10 PV"]',
                                          ["particles.rigidities: 1e+10 PV needs", "1e+15"]),
    "steps too short": ("[integrator]\nsteps_per_gyroradius = 1e200",
                        ["particles.rigidities: 1 PV needs", "more than 1e+15"]),
    "path too long": ('[boundary]\nkind = "sphere"\nradii = ["1 pc"]\nlimit = "1e20 pc"',
                      ["particles.rigidities: 1 PV needs 2e+21 steps", "boundary.limit"]),
    "thousands of digits": (f"[run]\nseed = {'9' * 5000}", ["not valid TOML: Exceeds the limit"]),
    "thousands of hexadecimal digits": (f"[run]\nseed = 0x{'f' * 5000}",
                                        ["run.seed: a number of thousands of digits must be"]),
    "thousands of brackets": (f"[run]\nseed = {'[' * 5000}", ["not valid TOML"]),
    "longitude as a huge number": (f"[gradient]\ndirection = [{10**400}, 0]",
                                   ["gradient.direction: longitude 1000"]),
    "realisations": ("[run]\nrealisations = 0", ["run.realisations: 0 must be at least 1"]),
    "not TOML": ("[run\nseed = 1", ["not valid TOML"]),
    "key twice": ("[run]\nseed = 1\nseed = 2", ["not valid TOML"]),
    "case as a table": ('[case]\nname = "a"', ["case: expected [[case]] tables"]),
    "case without name": ('[[case]]\nset = { "run.seed" = 1 }', ["case.name: every case needs"]),
    "case name": ('[[case]]\nname = "a b"', ['case.name: "a b"', "letters, digits"]),
    "case twice": ('[[case]]\nname = "a"\n[[case]]\nname = "a"', ["the name of two cases"]),
    "case key": ('[[case]]\nname = "a"\nsets = {}', ["case.sets: unknown key"]),
    "case set": ('[[case]]\nname = "a"\nset = 3', ["case.set: 3 is not a table"]),
    "case seed": ('[[case]]\nname = "a"\nset = { "run.seed" = 2 }',
                  ["case a: run.seed: is the same for all cases"]),
    "case unknown key": ('[[case]]\nname = "a"\nset = { "regular.strenght" = "3 uG" }',
                         ["case a: regular.strenght: unknown key; did you mean regular.strength?"]),
    "case value": ('[[case]]\nname = "a"\nset = { "turbulence.rms" = 4 }',
                   ["case a: turbulence.rms: 4 has no unit"]),
    "case key without section": ('[[case]]\nname = "a"\nset = { rms = "4 uG" }',
                                 ["case a: rms: expected a key of the form section.key"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_one_clear_line(name):
    text, words = MISTAKES[name]
    with pytest.raises(JobError) as caught:
        parse_job(text, name="quickstart.toml")
    line = str(caught.value)
    assert line.startswith("quickstart.toml: ")
    assert "\n" not in line
    for word in words:
        assert word in line, line
    assert str(pickle.loads(pickle.dumps(caught.value))) == line  # ranks exchange it


STRANGE = [
    "true", "-1", "0", "1", "1e300", "1e-300", "nan", "-inf", "9" * 400, '"x"', '""', "[]", "[[]]",
    "{}", "1979-05-27", "[1e400, 0]", "[[[1]]]", '"1e300 pc"', '"1e999 pc"', '"1e-300 PV"',
    '"1e30 pc"', '"1e-30 uG"', '"1e30 PV"', '["1e30 PV", "1e-30 PV"]', '"nan pc"', '"1 pc^(1/0)"',
    '"1 mag"', '"sphere"', '"r_g"', '"plane-waves"',
]


@pytest.mark.parametrize("section", KEYS)
def test_no_value_of_any_key_breaks_the_reader(section):
    """Whatever a job file says is refused in one line, or gives a job that can be saved."""
    for key in KEYS[section]:
        for value in STRANGE:
            try:
                job = parse_job("", overrides=[f"{section}.{key}={value}"])
            except JobError as error:
                assert "\n" not in str(error)
            else:
                assert parse_job(job.to_toml()) == job, (key, value)
                assert np.isfinite(job.stops).all() and np.isfinite(job.gradient_vectors).all()


@pytest.mark.parametrize("override, words", [
    ("run.realisations", "expected KEY.SUB=VALUE"),
    ("realisations=4", "expected KEY.SUB=VALUE"),
    ("run.realisations=", "expected KEY.SUB=VALUE"),
    ("run.realisation=4", "run.realisation: unknown key; did you mean run.realisations?"),
    ("turbulence.rms=4", "turbulence.rms: 4 has no unit"),
    ("run.seed.x=4", "run.seed.x: unknown key"),
    ("case.a=4", "case"),
])
def test_wrong_overrides(override, words):
    with pytest.raises(JobError) as caught:
        parse_job("", overrides=[override])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_case():
    with pytest.raises(JobError, match=r'no case "c"; the cases are "a" or "b"'):
        parse_job('[[case]]\nname = "a"\n[[case]]\nname = "b"', case="c")


def test_unreadable_files(tmp_path):
    with pytest.raises(JobError, match=r"none\.toml: no such file$"):
        load_job(tmp_path / "none.toml")
    with pytest.raises(JobError, match="hpc-cr jobs quickstart > quickstart.toml"):
        load_job(tmp_path / "quickstart.toml")
    with pytest.raises(JobError, match="cannot be read: Is a directory"):
        load_job(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(JobError, match="not a text file in UTF-8"):
        load_job(tmp_path / "binary.toml")
