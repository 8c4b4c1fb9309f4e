"""Energy losses to the gas.

Theory. The ionisation loss per grammage of a single charge has a minimum near beta gamma = 3.5:
4.103 MeV cm^2/g in hydrogen gas and 1.937 in helium (Particle Data Group, Atomic and nuclear
properties of materials). In a plasma a fast heavy charge loses

    dE/dx = 4 pi n r_e^2 m c^2 Z^2/beta^2 ln(2 m c^2 gamma beta^2/(hbar omega_p))

(Fermi 1940, with the plasma frequency as the only scale).
"""

import numpy as np
import pytest
from astropy import constants, units

from hpc_cr.galaxy import losses, nuclei, spectra

PROTON = nuclei.SPECIES["H1"]
ENERGIES = np.geomspace(0.5, 10, 400)


def per_path(nucleon_GeV, **gas):
    """dE/dx of a proton in GeV/cm: per path, not per c dt."""
    beta = spectra.velocity(spectra.rigidity(nucleon_GeV, 1, 1), 1, 1)
    return losses.rate(PROTON, nucleon_GeV, **gas) / beta / units.pc.to(units.cm)


def test_minimum_of_ionisation():
    hydrogen = per_path(ENERGIES, hydrogen_cm3=1.0, helium=0.0)
    mass = (1.00794 * constants.u).to_value(units.g)
    # the mean excitation energies in use, 19 and 44 eV for 19.2 and 41.8, move a logarithm of 17
    # by 2 ln(44/41.8) = 0.1
    least = hydrogen.min() / mass * 1e3
    assert least == pytest.approx(4.103, rel=0.01)
    gamma = 1 + ENERGIES[hydrogen.argmin()] / spectra.PROTON_MASS_GEV
    assert 3.0 < np.sqrt(gamma**2 - 1) < 4.0
    both = per_path(ENERGIES, hydrogen_cm3=1.0, helium=1.0)
    least = (both - hydrogen).min() / (4.0026 * constants.u).to_value(units.g) * 1e3
    assert least == pytest.approx(1.937, rel=0.01)
    # control: one electron per helium atom
    assert 0.5 * least != pytest.approx(1.937, rel=0.1)


def test_plasma():
    n, kinetic = 0.1 / units.cm**3, 5.0
    gamma = 1 + kinetic / spectra.PROTON_MASS_GEV
    squared = 1 - gamma**-2
    frequency = np.sqrt(n * constants.e.si**2 / (constants.eps0 * constants.m_e))
    rest = constants.m_e * constants.c**2
    logarithm = np.log((2 * rest * gamma * squared / (constants.hbar * frequency)).to_value(""))
    radius = constants.alpha**2 * constants.a0
    wanted = 4 * np.pi * n * radius**2 * rest / squared * logarithm
    found = per_path(kinetic, hydrogen_cm3=0.0, ionised_cm3=0.1, helium=0.0)
    # the recoil, ln(1 + 2 gamma m/M)/2 = 0.003 of a logarithm of 40, and x^3 = 3e-6 are left out
    assert found == pytest.approx(wanted.to_value(units.GeV / units.cm), rel=3e-4)


def test_scaling_with_charge_and_gas():
    carbon = nuclei.SPECIES["C12"]
    # per nucleon Z^2/A = 3; the recoil of a proton of 1 GeV and its mass differ by 1e-3
    ratio = losses.rate(carbon, 1.0, 1.0) / losses.rate(PROTON, 1.0, 1.0)
    assert ratio == pytest.approx(3.0, rel=0.01)
    density = np.array([[0.0, 1.0], [2.0, 0.5]])
    found = losses.rate(carbon, 1.0, density, 0.0)
    np.testing.assert_allclose(found, density * losses.rate(carbon, 1.0, 1.0, 0.0))
    assert np.all(np.isfinite(losses.rate(carbon, 1.0, 1.0, density)))


def test_helium_of_ionised_gas_is_neutral():
    parts = [losses.rate(PROTON, 1.0, *gas) for gas in ((0.7, 0.0, 0.1), (0.0, 0.3, 0.0),
                                                        (0.3, 0.0, 0.1), (0.3, 0.0, 0.0))]
    # 0.7 neutral, 0.3 ionised, and the helium of 0.3
    found = losses.rate(PROTON, 1.0, 0.7, 0.3, 0.1)
    assert found == pytest.approx(parts[0] + parts[1] + parts[2] - parts[3], rel=1e-12)
    # a free electron costs more than a bound one: logarithms of the plasma's and the atoms' scale,
    # 2 ln(2 m gamma beta^2/hbar omega_p) over ln((2 m beta^2 gamma^2/I)^2) - 2 beta^2 at 1 GeV
    gamma = 1 + 1 / spectra.PROTON_MASS_GEV
    squared, electron = 1 - gamma**-2, 0.511e6
    plasma = 3.713e-11 * np.sqrt(0.3)  # eV
    wanted = (2 * np.log(2 * electron * gamma * squared / plasma)
              / (2 * np.log(2 * electron * gamma**2 * squared / 19) - 2 * squared))  # fmt: skip
    assert parts[1] / parts[3] == pytest.approx(wanted, rel=1e-3)
    # control: as bound ones
    assert wanted > 3


def test_slow_nuclei_lose_less_to_a_warm_plasma():
    # below the electrons' thermal velocity, beta = 0.002, the loss falls with beta^2
    slow = losses.rate(PROTON, np.array([2e-10, 8e-10]), 0.0, 0.03)
    assert slow[1] / slow[0] == pytest.approx(4.0, rel=0.5) and slow[0] > 0
