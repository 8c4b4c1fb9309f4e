"""From a galaxy job to the solver's setting: the Sun's place and the state of the gas.

D is given for the Sun, wherever it is: there F = N_m/2, and q = 1. Gas as observed is partly
ionised; a slab is not.
"""

import numpy as np
import pytest

from hpc_cr.campaigns import galaxy_setting
from hpc_cr.config import parse_job
from hpc_cr.galaxy import gas

JOB = """
[run]
kind = "galaxy"
[halo]
cells = [12, 10]
sun = "8 kpc"
[diffusion]
coefficient = "3e28 cm2/s"
rigidity = "4 GV"
"""


def setting(text):
    return galaxy_setting.setting(parse_job(JOB + text))[0]


def test_diffusion_is_what_is_given_at_the_sun():
    unit = galaxy_setting.PC_C_CM2_PER_S / 3e28
    for model, wanted in (('"source-power"\ntau = 0.85', 1.0), ('"source-dependent"', 0.31)):
        found = setting(f"model = {model}")
        assert found.diffusion.at(found.sun_radius, 0.0, 4.0) * unit == pytest.approx(wanted)
        # control: not so 8.5 kpc from the centre
        assert found.diffusion.at(8500.0, 0.0, 4.0) * unit != pytest.approx(wanted, rel=0.01)


def test_observed_gas_is_partly_ionised():
    found = setting("")
    np.testing.assert_array_equal(found.ionised, gas.components_on_grid(found.grid).ions)
    assert 0.0 < np.min(found.ionised / found.gas) < 0.5  # control: not all of it
    slab = setting('[gas]\nprofile = "slab"\ndensity = "1 / cm3"\nhalf_height = "100 pc"')
    assert slab.ionised is None
