"""Catalogue of nearby sources and directions.

Positions by names: a remnant's name in Green's catalogue holds its Galactic coordinates, as
G74.0-8.5; equatorial ones of pulsars and of the Galactic centre by astropy from l and b, against
the right ascension and declination in their names (B1950 or J2000 to the minute of the name).
"""

import re

import numpy as np
import pytest

from hpc_cr.sources import catalogue


def test_every_row_is_whole():
    names = [s.name for s in catalogue.sources()] + [d.name for d in catalogue.directions()]
    assert len(set(map(str.casefold, names))) == len(names) > 20
    for source in catalogue.sources():
        assert source.reference and re.search(r"\b(19|20)\d\d\b", source.reference)
        assert source.kind in ("remnant", "pulsar", "fitted")
        assert 100 < source.distance_pc < 1000 and 1e3 < source.age_yr < 1e7
        known = np.isfinite(source.l_deg)
        assert known == np.isfinite(source.b_deg) == (source.name != "Savchenko 2015")
        assert not known or np.linalg.norm(source.position) == pytest.approx(source.distance_pc)
    for direction in catalogue.directions():
        assert direction.reference and np.linalg.norm(direction.vector) == pytest.approx(1)
        assert direction.axis in (0, 1)


def test_remnants_are_where_their_names_say():
    checked = 0
    for source in catalogue.sources():
        text = f"{source.name} {source.note}"
        for l_deg, b_deg in re.findall(r"\bG(\d+\.\d)([+-]\d+\.\d)", text):
            assert (source.l_deg, source.b_deg) == (float(l_deg), float(b_deg))
            checked += 1
    assert checked >= 7


@pytest.mark.parametrize(("name", "right_ascension", "declination", "equinox"), [
    ("Geminga pulsar", 6 + 33 / 60, 17 + 46 / 60, "J2000"),
    ("Vela pulsar", 8 + 33 / 60, -45.0, "B1950"),
    ("PSR B0656+14", 6 + 56 / 60, 14.0, "B1950"),
])
def test_pulsars_are_where_their_names_say(name, right_ascension, declination, equinox):
    from astropy import units
    from astropy.coordinates import FK4, FK5, SkyCoord

    source = catalogue.find(name)
    frame = FK5(equinox="J2000") if equinox == "J2000" else FK4(equinox="B1950")
    there = SkyCoord(source.l_deg * units.deg, source.b_deg * units.deg, frame="galactic")
    there = there.transform_to(frame)
    # names are cut off, not rounded; l and b have two decimals: 0.02 degrees of margin
    margin = 0.02
    digits = 1.0 if equinox == "B1950" else 1 / 60
    assert -margin < 15 * (there.ra.hour - right_ascension) < 0.25 + margin
    assert -margin < np.sign(declination) * (there.dec.deg - declination) < digits + margin


def test_find_tells_the_nearest():
    assert catalogue.find(" geminga snr ").age_yr == 3.4e5
    assert catalogue.find("Vela Jr").l_deg == 266.2
    for wrong, hint in (("Monogem", "did you mean Monogem Ring"), ("Cignus Loop", "Cygnus Loop"),
                        ("Geminga", "Geminga"), ("zzzz", "there are Geminga SNR")):
        with pytest.raises(ValueError, match=hint) as told:
            catalogue.find(wrong)
        assert "\n" not in str(told.value)
    assert catalogue.find_direction("Local field").b_deg == -57.1
    with pytest.raises(ValueError, match="no direction 'galactic center'; did you mean Galac"):
        catalogue.find_direction("galactic center")


def test_fields_within_their_errors():
    """Axes of the local field from three methods lie within 20 degrees of each other."""
    ribbon = catalogue.find_direction("IBEX ribbon").vector
    for name in ("local field", "pristine field", "cosmic-ray boundary", "starlight field"):
        direction = catalogue.find_direction(name)
        assert direction.axis == 1
        assert np.degrees(np.arccos(abs(direction.vector @ ribbon))) < 20
    # control: the earliest starlight fit is off by more
    early = catalogue.find_direction("starlight field 2010").vector
    assert np.degrees(np.arccos(abs(early @ ribbon))) > 20
