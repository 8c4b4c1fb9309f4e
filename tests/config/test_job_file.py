"""Reading jobs: defaults, derived values, cases, overrides, and the way back to TOML."""

import pickle

import numpy as np
import pytest

from hpc_cr.config import Job, JobError, load_job, parse_job
from hpc_cr.config.overrides import parse_override
from hpc_cr.config.reference import PAGE, reference_page
from hpc_cr.config.shipped import description, shipped_jobs

CASES = """
[turbulence]
slope = 1.6
[particles]
rigidities = ["100 TV", "1 PV"]
nside = 8
[boundary]
times = [1, 3]
times_in = "lambda"
[[case]]
name = "isotropic"
[[case]]
name = "strong-field"
set = { "turbulence.rms" = "1.265 uG", regular.model = "uniform", regular.strength = "3.795 uG", \
regular.direction = [0, 0], "boundary.times" = ["100 pc", "0.2 kpc"], "particles.count" = 100 }
"""

TEXTS = {
    "empty": "",
    "cases": CASES,
    "sphere": '[boundary]\nkind = "sphere"\nradii = ["10 pc", "250 pc"]\n'
              '[gradient]\ndirection = [10, -20]\nmagnitude = "0.00345 / pc"\n',
    "gradients": '[particles]\nrigidities = ["1 PV", "3 PV"]\n[gradient]\ndirection = [0, 90]\n'
                 'scale_length = ["1 kpc", "3 kpc"]\n',
    "bands": '[grids]\ncells = 64\nboxes = ["410 pc", "43 pc"]\n'
             'bands = [["100 pc", "15 pc"], ["15 pc", "2 pc"]]\n[integrator]\n'
             'method = "cash-karp"\ntolerance = 1e-6\n',
    "plane waves": '[turbulence]\nsynthesis = "plane-waves"\nwaves = 300\n'
                   'spectrum = "kraichnan"\n[particles]\ncount = 500\n',
    "uniform": '[turbulence]\nrms = "0 uG"\n[regular]\nmodel = "uniform"\nstrength = "4 uG"\n'
               'direction = [30, 45]\n[boundary]\ntimes = "2 kyr"\n',
}


def test_defaults():
    job = parse_job("")
    assert (job.run.kind, job.run.seed, job.run.realisations) == ("anisotropy", 1, 10)
    assert job.turbulence.slope == 5 / 3 and job.turbulence.rms == 4.0
    assert job.turbulence.inner_scale == pytest.approx(job.gyroradii.min() / 5)
    assert (job.particles.nside, job.n_pix, job.n_row) == (16, 3072, 10)
    assert job.output.l_max == 32 and parse_job("[particles]\ncount = 20").output.l_max == 8
    assert parse_job("[particles]\nnside = 4").output.l_max == 8
    assert np.allclose(job.gradient_vectors, [[0, 1 / 12e3, 0]], atol=1e-20)
    assert job.warnings == []


def test_derived_values():
    job = parse_job('[turbulence]\nrms = "3 uG"\n[regular]\nmodel = "uniform"\nstrength = "4 uG"\n'
                    'direction = [90, 0]\n[particles]\nrigidities = ["10 TV", "1 PV"]\n'
                    'observers = 3\n[boundary]\ntimes = [1, 3]\ntimes_in = "r_g"\n'
                    '[gradient]\ndirection = [180, 0]\nscale_length = ["1 kpc", "2 kpc"]\n')
    assert job.b_ref == pytest.approx(5.0)
    assert np.allclose(job.gyroradii, 1.0810076 / 5 * np.array([0.01, 1]), rtol=1e-7)
    assert np.allclose(job.stops, np.outer(job.gyroradii, [1, 3]))
    assert np.allclose(job.regular_field, [0, 4, 0], atol=1e-15)
    assert np.allclose(job.gradient_vectors, [[-1e-3, 0, 0], [-5e-4, 0, 0]], atol=1e-18)
    assert job.n_row == 30


def test_times():
    stops = parse_job('[boundary]\ntimes = ["20 pc", "2 kyr"]').stops
    # 1 pc = 3.2615638 light years
    assert np.allclose(stops, [[20.0, 2000 / 3.2615638]], rtol=1e-7)
    job = parse_job('[particles]\nrigidities = ["1 PV", "2 PV"]\n'
                    '[boundary]\ntimes = [0.5, 2]\ntimes_in = "L_c"')
    assert np.allclose(job.stops, np.outer([1, 1], [0.5, 2]) * job.coherence_length)
    job = parse_job('[boundary]\ntimes = 3\ntimes_in = "lambda"')
    assert np.allclose(job.stops, 3 * job.mean_free_paths[:, None])


def test_sphere():
    job = parse_job(TEXTS["sphere"] + '[particles]\nrigidities = ["1 PV", "2 PV"]')
    assert job.stops.tolist() == [[10.0, 250.0]] * 2
    assert job.boundary.limit == 250e3


@pytest.mark.parametrize("name", TEXTS)
def test_round_trip(name):
    job = parse_job(TEXTS[name], name="somewhere")
    again = parse_job(job.to_toml())
    assert again == job
    assert again.to_toml() == job.to_toml()
    for before, after in zip(job.cases, again.cases, strict=True):
        assert before.name == after.name
        assert before.job.numbers_differ(after.job) == []
        assert np.array_equal(before.job.stops, after.job.stops)
        assert before.job.levels == after.job.levels
    # ranks exchange jobs by pickle
    assert pickle.loads(pickle.dumps(job)) == job
    assert pickle.loads(pickle.dumps(job)).name == "somewhere"


def test_cases():
    job = parse_job(CASES)
    assert [case.name for case in job.cases] == ["isotropic", "strong-field"]
    isotropic, strong = (case.job for case in job.cases)
    assert isotropic.regular.model == "none" and isotropic.n_pix == 768
    assert strong.b_ref == pytest.approx(4.0, rel=1e-4)
    assert strong.stops.tolist() == [[100.0, 200.0]] * 2
    assert strong.n_pix == 100 and strong.particles.nside is None
    assert isotropic.run == strong.run
    assert job.turbulence == isotropic.turbulence  # the sections are those of the first case
    assert parse_job(CASES, case="strong-field") == strong
    assert [case.name for case in strong.cases] == [""]
    assert len(isotropic.numbers_differ(strong)) > 3


def test_each_case_has_its_own_inner_scale_after_the_round_trip():
    text = '[[case]]\nname = "a"\n[[case]]\nname = "b"\nset = { "turbulence.rms" = "1 uG" }'
    job = parse_job(parse_job(text).to_toml())
    small, large = (case.job.turbulence.inner_scale for case in job.cases)
    assert large == pytest.approx(4 * small)


def test_overrides():
    job = parse_job(CASES, overrides=["run.realisations=4", "turbulence.rms=2 uG",
                                      'particles.rigidities=["3 PV"]', "turbulence.spectrum="
                                      "kraichnan", "output.displacement=true"])
    for case in job.cases:
        assert case.job.run.realisations == 4
        assert case.job.turbulence.rms == 2.0  # also where the case sets it
        assert case.job.turbulence.slope == 1.5  # replaces the slope
        assert case.job.particles.rigidities == (3.0,)
        assert case.job.output.displacement
    sphere = parse_job(CASES, overrides=["boundary.kind=sphere", "boundary.radii=['5 pc']"])
    assert sphere.stops.tolist() == [[5.0]] * 2


@pytest.mark.parametrize("text, expected", [
    ("a.b=4", ("a.b", 4)), ("a.b = 4.5", ("a.b", 4.5)), ("a.b=4 uG", ("a.b", "4 uG")),
    ("a.b='4 uG'", ("a.b", "4 uG")), ("a.b=[1, 2]", ("a.b", [1, 2])), ("a.b=true", ("a.b", True)),
    ("a.b=c=d", ("a.b", "c=d")),
])
def test_override_values(text, expected):
    assert parse_override(text) == expected


def test_numbers_differ():
    job = parse_job("")
    assert job.numbers_differ(parse_job("[parallel]\nteam_size = 4")) == []
    assert job.numbers_differ(parse_job("[run]\nseed = 2")) == ["run.seed"]
    assert job.numbers_differ(parse_job("[run]\nrealisations = 11")) == ["run.realisations"]
    changed = job.numbers_differ(parse_job("[particles]\ncount = 99\n[turbulence]\nslope = 1.6"))
    assert {"turbulence.slope", "turbulence.spectrum", "particles.nside", "particles.count",
            "output.l_max"} == set(changed)


def test_jobs_are_read_only():
    job = parse_job("")
    with pytest.raises(ValueError, match="frozen"):
        job.run.seed = 3


def test_warnings():
    assert "not well below the smallest gyroradius" in parse_job(
        '[turbulence]\ninner_scale = "1 pc"').warnings[0]
    coarse = parse_job('[turbulence]\ninner_scale = "0.1 pc"\nslope = 0.5\n'
                       "[grids]\nlevels = 3\ncells = 90\ncompensate = false")
    assert "interpolation keeps" in coarse.warnings[0]
    assert "not used by" in parse_job("[integrator]\ntolerance = 1e-6").warnings[0]
    text = '[[case]]\nname = "a"\n[[case]]\nname = "b"\nset = {turbulence.inner_scale = "1 pc"}'
    assert [line.split(":")[0] for line in parse_job(text).warnings] == ["case b"]


def test_warnings_of_reacceleration():
    def found(speed, lowest, ionisation):
        text = (f'[run]\nkind = "galaxy"\n[diffusion]\nalfven_speed = "{speed} km/s"\n[nuclei]\n'
                f'ionisation = {ionisation}\n[energies]\nper_nucleon = ["{lowest} GeV", "1 TeV"]')
        return [line.split(":")[0] for line in parse_job(text).warnings]

    assert found(15, 0.1, "true") == found(0, 1.0, "false") == []
    assert found(15, 0.3, "true") == ["energies.per_nucleon"]
    assert found(15, 0.01, "false") == ["diffusion.alfven_speed"]
    assert found(15, 1.0, "false") == ["diffusion.alfven_speed", "energies.per_nucleon"]


def test_load_job_names_the_job_after_its_file(tmp_path):
    path = tmp_path / "my-job.toml"
    path.write_text("[run]\nseed = 7\n")
    job = load_job(path, ["run.realisations=2"])
    assert (job.name, job.run.seed, job.run.realisations) == ("my-job", 7, 2)
    with pytest.raises(JobError, match=r"my-job\.toml: no case \"b\"; the job has no cases"):
        load_job(path, case="b")


WARNED = {"diffusion_convergence": "shortest-01: turbulence.inner_scale"}
"""Jobs that leave out waves on purpose, to show what that does."""


def test_shipped_jobs():
    shipped = shipped_jobs()
    assert list(shipped)[0] == "quickstart"
    assert {"mertsch_funk2015", "giacinti_sigl2012", "tev_to_pev", "turbulence_levels"} <= set(
        shipped)
    for name, path in shipped.items():
        # a gradient from another job's result needs that result (tests/papers/test_shipped_jobs.py)
        handed = "\nfrom =" in path.read_text()
        job = load_job(path, ["gradient.direction=[0, 0]"] if handed else [])
        assert job.name == name
        wanted = WARNED.get(name, "no warning")
        assert [line for line in job.warnings if wanted not in line] == []
        assert parse_job(job.to_toml()) == job
        assert len(description(path)) > 20
        assert any(line.startswith("# cost: ") for line in path.read_text().splitlines())


def test_quickstart_is_the_paper_in_small():
    isotropic, strong = (case.job for case in load_job(shipped_jobs()["quickstart"]).cases)
    assert isotropic.b_ref == pytest.approx(4.0) and strong.b_ref == pytest.approx(4.0, abs=1e-3)
    # the turbulent share of the energy is a tenth
    assert (strong.turbulence.rms / strong.b_ref) ** 2 == pytest.approx(0.1, abs=1e-3)
    assert isotropic.stops.tolist() == [[15.0, 30.0, 60.0]]
    assert strong.stops.tolist() == [[100.0, 200.0, 400.0]]
    assert abs(strong.gradient_vectors[0] @ strong.regular_field) < 1e-15  # at right angles


def test_mertsch_funk_job_has_both_readings():
    cases = {c.name: c.job for c in load_job(shipped_jobs()["mertsch_funk2015"]).cases}
    assert cases["isotropic"].b_ref == 4.0 and not cases["isotropic"].regular_field.any()
    total, turbulent = cases["total-4uG"], cases["turbulent-4uG"]
    assert total.b_ref == pytest.approx(4.0, abs=1e-3)
    assert (turbulent.turbulence.rms, turbulent.regular.strength) == (4.0, 12.0)
    for job in (total, turbulent):
        assert (job.turbulence.rms / job.b_ref) ** 2 == pytest.approx(0.1, abs=1e-3)


def test_giacinti_job():
    cases = {c.name: c.job for c in load_job(shipped_jobs()["giacinti_sigl2012"]).cases}
    for job in cases.values():
        assert job.stops[0].tolist() == [10.0, 25.0, 50.0, 100.0, 250.0]
        assert np.allclose(job.gradient_vectors[0], [-1 / 290, 0, 0], atol=1e-18)
        assert (job.turbulence.rms, job.turbulence.outer_scale) == (4.0, 150.0)
        # well below the smallest gyroradius, and the same field in every case without another
        assert job.turbulence.inner_scale < 0.25 * job.gyroradii.min()
        assert job.levels == cases["maps"].levels
    assert cases["maps"].particles.rigidities == (10.0, 50.0)
    # what is shown, l = 150 to 180 and b = 0 to 30, and a margin of the smoothing's 5 degrees
    assert cases["patch"].particles.patch == (165.0, 15.0, 40.0)


def test_every_resonant_wave_from_tev_to_pev():
    for case in load_job(shipped_jobs()["tev_to_pev"]).cases:
        job = case.job
        assert job.turbulence.outer_scale / job.turbulence.inner_scale > 1e5
        assert np.all(job.turbulence.inner_scale <= job.gyroradii / 5 * (1 + 1e-12))
        assert job.run.realisations >= 4
    isotropic = load_job(shipped_jobs()["tev_to_pev"]).cases[0].job
    assert isotropic.n_pix >= 100_000
    decades = np.log10(isotropic.particles.rigidities)
    assert np.diff(decades).max() < 0.6 and np.ptp(decades) > 2.5


def test_turbulence_levels_share_one_total():
    cases = load_job(shipped_jobs()["turbulence_levels"]).cases
    shares = [(c.job.turbulence.rms / c.job.b_ref) ** 2 for c in cases]
    np.testing.assert_allclose([c.job.b_ref for c in cases], 4.0, rtol=1e-3)
    np.testing.assert_allclose(shares, [1, 0.5, 0.2, 0.1, 0.05, 0.02], rtol=1e-3)


PATCHES = {
    "no table": ("5", r"5 is not a patch; expected \{ l = 165"),
    "a key missing": ("{ l = 1, b = 2 }", "is not a patch"),
    "an unknown key": ("{ l = 1, b = 2, width = 3, height = 4 }", "is not a patch"),
    "beyond a pole": ("{ l = 1, b = 80, width = 30 }", "b = 80 and width 30 reach beyond a pole"),
    "no width": ("{ l = 1, b = 2, width = 0 }", "width 0 is not a number of degrees above 0"),
    "no pixel": ("{ l = 1.3, b = 2.2, width = 0.001 }", "holds no pixel of nside = 16"),
}


@pytest.mark.parametrize("what", PATCHES)
def test_patches_that_are_wrong(what):
    text, words = PATCHES[what]
    job = f"[particles]\npatch = {text}\n[output]\ndisplacement = true\n"
    with pytest.raises(JobError, match=r"particles\.patch: .*" + words):
        parse_job(job)


def test_patches():
    text = "[particles]\npatch = { l = 10, b = 20, width = 30 }\nnside = 32\n"
    with pytest.raises(JobError, match=r"particles\.patch: needs output\.displacement = true"):
        parse_job(text)
    job = parse_job(text + "[output]\ndisplacement = true\n")
    assert job.output.l_max == 1 and 0 < job.n_pix < 12 * 32**2
    assert parse_job(job.to_toml()) == job
    # a fine patch costs little, a fine sky is refused
    fine = parse_job(job.to_toml(), overrides=["particles.nside=2048"])
    assert fine.n_pix == pytest.approx(64**2 * job.n_pix, rel=0.05)
    with pytest.raises(JobError, match="2048 is more than 1024, the most for the whole sky"):
        parse_job("", overrides=["particles.nside=2048"])
    # random directions replace both
    assert parse_job(job.to_toml(), overrides=["particles.count=100"]).n_pix == 100


def test_reference_page_is_that_of_the_schema():
    # after a change of the schema: python -m hpc_cr.config.reference
    assert PAGE.read_text(encoding="utf-8") == reference_page()


def test_reference_page_names_every_key():
    sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    by_name = {part.split("]")[0].strip("["): part for part in sections if part.startswith("[")}
    for section, field in Job.model_fields.items():
        for key, part in field.annotation.model_fields.items():
            key = part.alias or key
            assert f"\n| `{key}` |" in by_name[section], f"{section}.{key}"
