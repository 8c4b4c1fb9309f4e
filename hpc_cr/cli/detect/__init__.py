"""hpc-cr detect: right-ascension amplitudes and phases that a detector would publish."""

import json
import math
import sys

import click

from hpc_cr.cli.figure import Direction, Quantity

INDEX = 2.7
"""gamma where none is given."""


class Finite(click.FloatRange):
    """A number within bounds; what is not a number lies within any for click."""

    def convert(self, value, param, ctx):
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r}: give a finite number", param, ctx)
        return number


class Numbers(click.ParamType):
    """Two numbers separated by a comma."""

    def __init__(self, name, example):
        self.name, self.example = name, example

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        try:
            first, second = (float(part) for part in value.split(","))
        except ValueError:
            first = second = math.nan
        if not (math.isfinite(first) and math.isfinite(second)):
            self.fail(f"{value!r}: give {self.name} in degrees, such as {self.example}", param, ctx)
        return first, second


class Energies(click.ParamType):
    """One energy or two, with a unit at least at the last: "10,30 PeV"."""

    name = "E1,E2"

    def convert(self, value, param, ctx):
        """(low, high) in PeV."""
        from astropy import units

        if isinstance(value, tuple):
            return value
        try:
            last = units.Quantity(value.split(",")[-1])
            parts = [units.Quantity(part) for part in value.split(",")]
            energies = [float((p if p.unit != "" else p.value * last.unit).to_value("PeV"))
                        for p in parts]  # fmt: skip
            low, high = energies * 2 if len(energies) == 1 else energies
        except (TypeError, ValueError):
            low = high = math.nan
        if not (math.isfinite(low) and math.isfinite(high)):
            self.fail(f'{value!r}: give one energy or two, such as "1 PeV" or "10,30 PeV"',
                      param, ctx)  # fmt: skip
        return low, high


class Composition(click.ParamType):
    """Shares of charges, "p=0.6,He=0.4"."""

    name = "NAME=SHARE,..."

    def convert(self, value, param, ctx):
        """{Z: share}."""
        from hpc_cr.detector.energy_bins import CHARGES

        if isinstance(value, dict):
            return value
        shares = {}
        for part in value.split(","):
            name, _, number = (text.strip() for text in part.partition("="))
            if name not in CHARGES:
                self.fail(f"{name!r}: give shares of {', '.join(CHARGES)}, such as p=0.6,He=0.4",
                          param, ctx)  # fmt: skip
            try:
                share = float(number)
            except ValueError:
                share = math.nan
            if not math.isfinite(share):
                self.fail(f"{part!r}: the share of {name} is a number, such as {name}=0.6",
                          param, ctx)  # fmt: skip
            shares[CHARGES[name]] = shares.get(CHARGES[name], 0.0) + share
        return shares


class Motion(click.ParamType):
    """none, lsr, or "l,b,SPEED km/s"."""

    name = "none|lsr|L,B,V"

    def convert(self, value, param, ctx):
        """Velocity (3,) in km/s, Galactic Cartesian, or None."""
        import numpy as np
        from astropy import units

        from hpc_cr.detector.compton_getting import LOCAL_STANDARD_OF_REST
        from hpc_cr.frames import unit_vector

        if value is None or isinstance(value, np.ndarray) or value == "none":
            return None if isinstance(value, str) else value
        if value == "lsr":
            return np.array(LOCAL_STANDARD_OF_REST)
        try:
            longitude, latitude, speed = value.split(",")
            speed = float(units.Quantity(speed).to_value("km/s"))
            longitude, latitude = float(longitude), float(latitude)
        except (TypeError, ValueError):
            self.fail(f'{value!r}: give none, lsr, or where we move to and how fast, such as'
                      ' "47.8,23.7,18 km/s"', param, ctx)  # fmt: skip
        if not (abs(longitude) <= 360 and abs(latitude) <= 90 and 0 <= speed < 3e3):
            self.fail(f"{value!r}: l lies within -360 and 360, |b| is at most 90 deg and the speed"
                      " below 3000 km/s", param, ctx)  # fmt: skip
        return speed * unit_vector(longitude, latitude)


@click.command("detect")
@click.argument("out", metavar="OUT.h5", type=click.Path())
@click.option("--case", "cases", multiple=True, metavar="NAME",
              help="Only this case (repeatable).")
@click.option("--rigidity", "rigidities", multiple=True, metavar="R",
              help="Index or value (repeatable); default: every rigidity of the file.")
@click.option("--stop", default="-1", metavar="T",
              help="Stopping time or radius: index or value; default: the last.")
@click.option("--gradient", type=Direction(), metavar="L,B",
              help="Galactic direction of the gradient in degrees; its size stays the job's.")
@click.option("--gradient-size", type=Quantity("inverse length"), metavar="G",
              help="Size of the gradient, such as \"0.08 / kpc\".")
@click.option("--normalise", "normalisation", type=click.Choice(["physical", "diffusion"]),
              default="physical", show_default=True,
              help="The response as computed, or scaled to the coefficient that B/C asks for.")
@click.option("--energy", "energies", type=Energies(), multiple=True, metavar="E1,E2",
              help="Average over reconstructed energies, such as \"10,30 PeV\", or at one,"
              " \"22 PeV\" (repeatable); default: each rigidity by itself.")
@click.option("--resolution", type=Finite(0, 2), metavar="SIGMA",
              help="Standard deviation of ln E at a true energy; default 0.")
@click.option("--index", type=Finite(-2, 10), metavar="GAMMA",
              help="Differential spectrum E^-GAMMA, of a bin and of the motion's dipole; default"
              " 2.7.")
@click.option("--composition", type=Composition(), metavar="p=0.6,He=0.4,...",
              help="Shares of charges at a given energy; default: protons.")
@click.option("--outside", type=Finite(0, 1), metavar="SHARE",
              help="Share of a bin that may lie outside the file's rigidities; default 0.01.")
@click.option("--declination", type=Numbers("two declinations", "-20,60"), metavar="DEC,DEC",
              help="Amplitude of this band, equatorial dipole times <cos dec>; default: the"
              " equatorial dipole itself.")
@click.option("--site", type=Numbers("latitude and largest zenith angle", "19,50"),
              metavar="LAT,ZENITH",
              help="Exposure of a site, acceptance ~ cos(zenith), instead of a uniform one.")
@click.option("--solar-motion", "motion", type=Motion(), default="none", metavar="none|lsr|L,B,V",
              help="Add the Compton-Getting dipole: of the Sun in the local standard of rest, or"
              " where we move to and how fast, such as \"47.8,23.7,18 km/s\".")
@click.option("--realisations", is_flag=True, help="Also a line for each realisation.")
@click.option("--power", is_flag=True,
              help="Also the power by multipole: washed out by the bin, lost with m = 0.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")  # fmt: skip
def command(out, energies, resolution, index, composition, outside, declination, site, motion,
            realisations, power, as_json, **choice):  # fmt: skip
    """What a detector sees of OUT.h5: amplitude and phase in right ascension.

    Of each realisation's dipole, averaged over an energy bin if one is given, the projection on
    the equatorial plane or the amplitude of a band, with mean, median and scatter.
    """
    from hpc_cr.cli.detect import detection, tables
    from hpc_cr.detector.energy_bins import OUTSIDE, EnergyBin
    from hpc_cr.figures.panels import Options
    from hpc_cr.io.results import open_results

    for name, given in (("--resolution", resolution), ("--composition", composition),
                        ("--outside", outside)):  # fmt: skip
        if given is not None and not energies:
            raise click.UsageError(f"{name} needs --energy: it says how a bin is averaged")
    if index is not None and not energies and motion is None:
        raise click.UsageError("--index needs --energy or --solar-motion: it weights the energies"
                               " of a bin and sets the dipole of a motion")  # fmt: skip
    index = INDEX if index is None else index
    if energies and choice["rigidities"]:
        raise click.UsageError("--energy averages over all rigidities; leave --rigidity out")
    bins = [EnergyBin(low, high, resolution or 0.0, index, composition or {1: 1.0})
            for low, high in energies]  # fmt: skip
    instrument = detection.Instrument(_band(declination, site), motion, index)
    with open_results(out) as results:
        results.require_kind("anisotropy", "hpc-cr detect")
        parts = _parts(results, choice["cases"])
        options = Options(stops=(choice.pop("stop"),), **choice)
        found = detection.skies(results, options, instrument, bins,
                                OUTSIDE if outside is None else outside)  # fmt: skip
        if as_json:
            from hpc_cr.cli.document import valid

            json.dump(valid(tables.document(found, options)), sys.stdout, indent=2, allow_nan=False)
            print()
            return
        tables.print_seen(found, options, sys.stdout)
        for case in parts:
            print(f"case {case}: a part of the sky, which has no dipole")
        if realisations:
            tables.print_realisations(found, sys.stdout)
        if power:
            tables.print_power(found, sys.stdout)


def _band(declination, site):
    """The Band, checked, or None."""
    from hpc_cr.detector.exposure import Band, mean_cosine

    if declination is None and site is None:
        return None
    band = Band(*(declination or (-90.0, 90.0)), *(site or (None, None)))
    try:
        mean_cosine(band)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return band


def _parts(results, chosen):
    """Names of the cases, of those chosen or of all, that show a part of the sky."""
    return [c.case for c in results.each_case()
            if c.job.particles.patch is not None and (not chosen or c.case in chosen)]  # fmt: skip
