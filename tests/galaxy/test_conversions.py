"""Rigidity, energy per nucleon and momentum, fluxes per unit of each, and the force field.

Theory. p/n = Z R/A, (T + m)^2 = (p/n)^2 + m^2. What lies between two rigidities is the same number
per GV, per GeV per nucleon and per GeV. J = beta c N/(4 pi). In the force field J/p^2 at the Earth
is that at T + Z Phi/A outside (Liouville's theorem).
"""

import numpy as np
import pytest
from astropy import constants, units

from hpc_cr.galaxy import spectra

NUCLEI = [(1, 1), (2, 4), (4, 10), (26, 56)]
RIGIDITY = np.geomspace(0.1, 1e7, 33)


@pytest.mark.parametrize(("z", "a"), NUCLEI)
def test_kinematics(z, a):
    mass = ((constants.m_p if a == 1 else constants.u) * constants.c**2).to_value(units.GeV)
    momentum = z * RIGIDITY / a
    kinetic = spectra.nucleon_energy(RIGIDITY, z, a)
    # each side loses the digits of the rest mass at low energies: 1e-16 m/T
    np.testing.assert_allclose(kinetic + mass, np.hypot(momentum, mass), rtol=1e-8)
    np.testing.assert_allclose(spectra.rigidity(kinetic, z, a), RIGIDITY, rtol=1e-12)
    np.testing.assert_allclose(spectra.velocity(RIGIDITY, z, a), momentum / (kinetic + mass),
                               rtol=1e-8)  # fmt: skip
    total = spectra.total_energy(RIGIDITY, z, a)
    np.testing.assert_allclose(total, a * (kinetic + mass), rtol=1e-8)
    # below 1 GV the rest mass hides 1/(p/m)^2 of the digits
    np.testing.assert_allclose(spectra.rigidity_of_energy(total, z, a), RIGIDITY, rtol=1e-10)
    assert np.isnan(spectra.rigidity_of_energy(0.9 * a * mass, z, a))


def test_slow_nuclei_keep_their_digits():
    # T = p^2/(2 m) [1 - (p/2m)^2]: of T + m, 16 digits would leave none of T
    mass = spectra.nucleon_mass(4)
    assert spectra.nucleon_energy(2e-8, 2, 4) == pytest.approx(1e-16 / (2 * mass), rel=1e-12)


@pytest.mark.parametrize(("z", "a"), NUCLEI)
@pytest.mark.parametrize("axis", ["nucleon", "energy"])
def test_numbers_do_not_depend_on_the_axis(z, a, axis):
    of = {"nucleon": spectra.nucleon_energy, "energy": spectra.total_energy}[axis]
    fine = np.geomspace(1.0, 1e3, 4001)
    per_rigidity = fine**-2.7
    values = spectra.convert(per_rigidity, fine, z, a, "rigidity", axis)
    number = np.trapezoid(per_rigidity, fine)
    # trapezoids: (d ln R)^2/12 times the curvature of R^-1.7, about 3, is 1e-6
    assert np.trapezoid(values, of(fine, z, a)) == pytest.approx(number, rel=3e-6)
    np.testing.assert_allclose(spectra.convert(values, fine, z, a, axis, "rigidity"), per_rigidity)
    # control: without Z and A, as for protons, the numbers differ
    if a > 1:
        wrong = spectra.convert(per_rigidity, fine, 1, 1, "rigidity", axis)
        assert np.trapezoid(wrong, of(fine, z, a)) != pytest.approx(number, rel=0.1)


def test_flux_and_density():
    n = 1e-10 / units.cm**3 / units.GeV
    wanted = (0.8 * constants.c * n / (4 * np.pi)).to_value(units.m**-2 / units.s / units.GeV)
    assert spectra.flux(1e-10, 0.8) == pytest.approx(wanted, rel=1e-12)
    assert spectra.density(wanted, 0.8) == pytest.approx(1e-10, rel=1e-12)


@pytest.mark.parametrize(("z", "a"), NUCLEI)
def test_force_field(z, a):
    kinetic = np.geomspace(0.05, 200, 2000)
    outside = kinetic**-2.7 * (1 + kinetic)
    phi = 0.5 * z / a
    places = np.geomspace(0.1, 100, 30)
    found = spectra.modulated(kinetic, outside, z, a, 0.5, places)

    def squared_momentum(energy):
        return (z / a * spectra.rigidity(energy, z, a)) ** 2

    # between nodes a power law: (d ln T)^2/8 times a curvature below 0.25 is 6e-7
    wanted = (places + phi) ** -2.7 * (1 + places + phi) / squared_momentum(places + phi)
    np.testing.assert_allclose(found / squared_momentum(places), wanted, rtol=1e-6)
    # none without a potential, NaN where the outer flux is not known
    np.testing.assert_allclose(spectra.modulated(kinetic, outside, z, a, 0.0)[1:-1],
                               outside[1:-1], rtol=1e-12)  # fmt: skip
    assert np.isnan(spectra.modulated(kinetic, outside, z, a, 0.5, 199.9))
    # control: the flux alone, without the momenta, is another one
    assert not np.allclose(found, (places + phi) ** -2.7 * (1 + places + phi), rtol=0.01)


def test_unknown_axis():
    with pytest.raises(ValueError, match="no energy axis 'momentum'"):
        spectra.axis_per_rigidity("momentum", 1.0, 1, 1)
