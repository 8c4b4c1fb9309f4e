"""Keys of diffusion and source jobs: defaults, contradictions in one line, cases, round trip.

A key that means nothing for a kind of job is an error rather than ignored; a case that switches
the regular field off has no field lines, since these follow it.
"""

import numpy as np
import pytest

from hpc_cr.config import JobError, load_job, parse_job

UNIFORM = '[regular]\nmodel = "uniform"\nstrength = "3 uG"\ndirection = [0, 0]\n'
DIFFUSION = f'[run]\nkind = "diffusion"\n{UNIFORM}'
ISOTROPIC = '[run]\nkind = "diffusion"\n'
SOURCE = f'[run]\nkind = "source"\n{UNIFORM}'
LINES = '[field_lines]\ncount = 50\nlength = "100 pc"\n'

MISTAKES = {
    "sky of a diffusion job": (DIFFUSION + "[output]\nl_max = 4",
                               ['[output]: is for kind = "anisotropy"', 'kind = "diffusion"']),
    "gradient of a source job": (SOURCE + "[gradient]\ndirection = [0, 0]",
                                 ['[gradient]: is for kind = "anisotropy"', 'kind = "source"']),
    "field lines of a source job": (SOURCE + LINES, ['[field_lines]: is for kind = "diffusion"']),
    "field lines of skies": (UNIFORM + LINES, ['[field_lines]: is for kind = "diffusion"']),
    "cells of skies": (UNIFORM + '[source]\nalong = ["0 pc", "1 pc"]',
                       ['[source]: is for kind = "source"', 'kind = "anisotropy"']),
    "cells of a diffusion job": (DIFFUSION + '[source]\nalong = ["0 pc", "1 pc"]',
                                 ['[source]: is for kind = "source"']),
    "pixels": (DIFFUSION + "[particles]\nnside = 8",
               ["particles.nside: is for skies", "particles.count"]),
    "pixels from a source": (SOURCE + "[particles]\nnside = 8", ["particles.nside", "count"]),
    "part of the sky": (DIFFUSION + "[particles]\npatch = { l = 1, b = 2, width = 3 }",
                        ["particles.patch: is for skies"]),
    "observers of diffusion": (DIFFUSION + "[particles]\nobservers = 2",
                               ["particles.observers: must be 1", "a place of its own"]),
    "sphere": (DIFFUSION + '[boundary]\nkind = "sphere"\nradii = ["100 pc"]',
               ['boundary.kind: "sphere" is for kind = "anisotropy"; "diffusion" has times']),
    "sphere around a source": (SOURCE + '[boundary]\nkind = "sphere"\nradii = ["100 pc"]',
                               ["boundary.kind", '"source" has times']),
    "source in isotropic turbulence": ('[run]\nkind = "source"',
                                       ['run.kind: needs regular.model = "uniform"']),
    "field lines without a field": (ISOTROPIC + "[field_lines]\ncount = 5",
                                    ['field_lines.count: needs regular.model = "uniform"']),
    "length of no lines": (DIFFUSION + '[field_lines]\nlength = "10 pc"',
                           ["field_lines.length: needs field_lines.count"]),
    "half a line": (DIFFUSION + "[field_lines]\ncount = 1.5", ["field_lines.count", "1.5"]),
    "one edge": (SOURCE + '[source]\nalong = "5 pc"',
                 ["source.along: one edge makes no cell; give at least two lengths"]),
    "decreasing edges": (SOURCE + '[source]\nperpendicular = ["5 pc", "2 pc"]',
                         ["source.perpendicular", "increas"]),
    "negative edge": (SOURCE + '[source]\nalong = ["-5 pc", "2 pc"]',
                      ["source.along", '"-5 pc" must not be negative']),
    "edges without a unit": (SOURCE + "[source]\nalong = [0, 5]", ["source.along", "unit"]),
    "misspelt section": (DIFFUSION + "[field_line]\ncount = 5",
                         ["[field_line]: unknown section; did you mean field_lines?"]),
    "misspelt key": (SOURCE + '[source]\nalongs = ["0 pc", "1 pc"]',
                     ["source.alongs: unknown key; did you mean source.along?"]),
    "times in relaxation of nothing": (DIFFUSION + '[turbulence]\nrms = "0 uG"',
                                       ['boundary.times_in: "relaxation" is infinite']),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name):
    text, expected = MISTAKES[name]
    with pytest.raises(JobError) as caught:
        parse_job(text)
    message = str(caught.value)
    assert "\n" not in message
    for words in expected:
        assert words in message


@pytest.mark.parametrize("text", [DIFFUSION, ISOTROPIC, SOURCE, DIFFUSION + LINES])
def test_the_same_without_the_mistake(text):
    assert parse_job(text).run.kind in text


def test_defaults():
    job = parse_job(DIFFUSION)
    assert job.particles.count == 2000 and job.n_pix == 2000 and job.n_row == job.run.realisations
    assert job.field_lines.count == 0 and len(job.field_line_distances) == 0
    assert job.boundary.times_in == "relaxation" and job.boundary.times[-1] == 20
    job = parse_job(DIFFUSION + "[field_lines]\ncount = 5")
    assert job.field_lines.length == pytest.approx(20 * job.coherence_length)
    assert job.field_line_distances[-1] == pytest.approx(job.field_lines.length)
    job = parse_job(SOURCE + "[particles]\nobservers = 3\n[turbulence]\nouter_scale = '40 pc'")
    assert (job.particles.count, job.n_row) == (10_000, 3 * job.run.realisations)
    assert job.source.along[:3] == (0, 40, 80) and job.source.perpendicular[:3] == (0, 5, 10)
    assert job.boundary.times == (3, 10, 30)


def test_relaxation_is_the_longer_of_mean_free_path_and_coherence_length():
    text = DIFFUSION + """
        [particles]
        rigidities = ["0.001 PV", "1000 PV"]
        [boundary]
        times = [1, 2]
        times_in = "relaxation"
        """
    job = parse_job(text.replace("3 uG", "0.1 uG"))
    short, long = job.mean_free_paths
    assert short < job.coherence_length < long
    np.testing.assert_allclose(job.stops, [[job.coherence_length, 2 * job.coherence_length],
                                           [long, 2 * long]])


CASES = f"""
{DIFFUSION}
{LINES}
[[case]]
name = "lines"
[[case]]
name = "isotropic"
set = {{ "regular.model" = "none" }}
[[case]]
name = "no-lines"
set = {{ "field_lines.count" = 0 }}
[[case]]
name = "further"
set = {{ "field_lines.length" = "300 pc" }}
"""


def test_a_case_without_a_regular_field_has_no_field_lines():
    counts = {case.name: (case.job.field_lines.count, case.job.field_lines.length)
              for case in parse_job(CASES).cases}
    assert counts == {"lines": (50, 100), "isotropic": (0, None), "no-lines": (0, None),
                      "further": (50, 300)}
    more = parse_job(CASES, overrides=["field_lines.count=70"])
    assert [case.job.field_lines.count for case in more.cases] == [70, 0, 70, 70]
    everywhere = parse_job(CASES, overrides=["regular.model=none"])
    assert {case.job.field_lines.count for case in everywhere.cases} == {0}


def test_field_lines_that_a_case_asks_for_itself_need_the_field():
    text = CASES.replace('"regular.model" = "none"', '"regular.model" = "none", '
                                                     '"field_lines.count" = 3')
    with pytest.raises(JobError, match=r"case isotropic: field_lines.count: needs regular.model"):
        parse_job(text)
    uniform = ["regular.model=uniform", "regular.strength=1 uG", "regular.direction=[0, 0]"]
    assert parse_job(text, overrides=uniform).cases[1].job.field_lines.count == 3


def test_set():
    job = parse_job(SOURCE, overrides=['source.along=["0 pc", "2 kpc"]', "particles.observers=2"])
    assert job.source.along == (0, 2000) and job.particles.observers == 2
    assert parse_job(DIFFUSION, overrides=["field_lines.count=7"]).field_lines.count == 7
    with pytest.raises(JobError, match=r"\[gradient\]: is for kind"):
        parse_job(SOURCE, overrides=["gradient.direction=[1, 2]"])
    with pytest.raises(JobError, match="run.kind: is the same for all cases"):
        parse_job(SOURCE + '[[case]]\nname = "a"\nset = { "run.kind" = "diffusion" }')


@pytest.mark.parametrize("text", [
    ISOTROPIC, CASES, SOURCE,
    SOURCE + '[source]\nalong = ["1 pc", "0.002 kpc"]\n[[case]]\nname = "a"\nset = '
             '{ "source.perpendicular" = ["0 pc", "1 pc"] }\n[[case]]\nname = "b"'])
def test_round_trip(text, tmp_path):
    job = parse_job(text)
    again = parse_job(job.to_toml())
    assert again == job and again.to_toml() == job.to_toml()
    assert [case.job.settings() for case in again.cases] == [c.job.settings() for c in job.cases]
    for section in ("gradient", "output"):
        assert f"[{section}]" not in job.to_toml()
    (tmp_path / "again.toml").write_text(job.to_toml())
    assert load_job(tmp_path / "again.toml") == job
    # control: the comparison sees the new keys
    assert parse_job(text, overrides=["particles.count=13"]) != job


def test_keys_that_change_numbers():
    lines, more = parse_job(DIFFUSION + LINES), parse_job(DIFFUSION + LINES.replace("50", "51"))
    assert lines.numbers_differ(more) == ["field_lines.count"]
    job = parse_job(SOURCE)
    other = parse_job(SOURCE, overrides=['source.along=["0 pc", "2 kpc"]'])
    assert job.numbers_differ(other) == ["source.along"]
    assert "run.kind" in job.numbers_differ(parse_job(DIFFUSION))
