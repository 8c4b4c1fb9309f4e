"""Physical constants in the internal units: pc, pc/c, uG and PV.

Values follow the exact SI definitions of the speed of light and the IAU 2012/2015
definitions of the astronomical unit and the parsec.
"""

from math import pi

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
PARSEC_M = 648_000.0 / pi * 149_597_870_700.0
"""One parsec in metres (IAU 2015, resolution B2)."""

GYRORADIUS_PC_UG_PER_PV = 1e15 / (SPEED_OF_LIGHT_M_PER_S * 1e-10 * PARSEC_M)
"""r_g [pc] = GYRORADIUS_PC_UG_PER_PV * R [PV] / B [uG]; from r_g = R/(c B), 1 uG = 1e-10 T."""

PC_PER_C_S = PARSEC_M / SPEED_OF_LIGHT_M_PER_S
"""One pc/c, the internal unit of time, in seconds (3.26 years)."""

CM_PER_PC = 100 * PARSEC_M

PC_C_CM2_PER_S = 1e4 * PARSEC_M * SPEED_OF_LIGHT_M_PER_S
"""D/c of one pc as a diffusion coefficient in cm^2/s (9.25e28)."""

PROTON_MASS_G = 1.672_621_925_95e-24
"""CODATA 2022."""
