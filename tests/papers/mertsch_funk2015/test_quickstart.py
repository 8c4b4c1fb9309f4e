"""What the quickstart promises: the findings of Mertsch & Funk (2015, PRL 114, 021101) at 1 PV.

Isotropic turbulence of 4 uG, L_max = 100 pc: the mean amplitude over realisations exceeds the
ensemble expectation (tr<M>/3) g, while the mean vector agrees with it.

Regular field of 3.795 uG with 1.265 uG of turbulence (a tenth of the energy): along the field the
response approaches the quasi-linear mean free path (for slab-like weak turbulence, Schlickeiser
2002) lambda_par = 3 (27/(7 pi)) r_g (B0/dB)^2 (k_min r_g)^(-2/3) = 138 pc, of which about 95 % are
reached at T = 400 pc; quasi-linear theory is taken as good to 20 %. For a gradient at 90 degrees
the amplitude is suppressed by a factor of tens, the dipoles lie along the field, and most
realisations stay below the KASCADE limit of 1.5e-3 at 1 PeV for |g| = 1/(12 kpc).
"""

import subprocess
import sys

import numpy as np
import pytest

from hpc_cr import open_results
from hpc_cr.config.shipped import shipped_jobs

pytestmark = [pytest.mark.paper, pytest.mark.slow]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    out = tmp_path_factory.mktemp("quickstart") / "quickstart.h5"
    done = subprocess.run([sys.executable, "-m", "hpc_cr", "run", shipped_jobs()["quickstart"],
                           "-o", out], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return out


def check_larger_than_expected(summary):
    excess = summary.mean_amplitude - np.linalg.norm(summary.expectation)
    error = np.hypot(summary.mean_amplitude_error, np.linalg.norm(summary.expectation_error))
    assert excess > 3 * error


def test_isotropic(quickstart):
    with open_results(quickstart, case="isotropic") as results:
        (summary,) = results.summary()
    check_larger_than_expected(summary)
    # the mean vector is the expectation within its error, component by component
    pull = (summary.vector_mean - summary.expectation) / summary.vector_mean_error
    assert np.all(np.abs(pull) < 3)


def check_suppressed(results, direction):
    g = np.array(direction) / 12_000
    amplitude = np.linalg.norm(results.dipoles(g)[:, 0, -1], axis=-1)
    assert np.mean(amplitude < 1.5e-3) > 0.5
    assert np.median(amplitude) < 1e-2 / 12


def test_strong_field(quickstart):
    with open_results(quickstart, case="strong-field") as results:
        parallel = results.response[:, 0, -1, 0, 0]
        error = parallel.std(ddof=1) / np.sqrt(len(parallel))
        assert abs(parallel.mean() - 0.95 * 138) < 0.2 * 138 + 3 * error
        check_suppressed(results, [0, 1, 0])
        with pytest.raises(AssertionError):  # control: along the field nothing is suppressed
            check_suppressed(results, [1, 0, 0])
        dipoles = results.dipoles([0, 1 / 12_000, 0])[:, 0, -1]
        along = np.abs(dipoles[:, 0]) / np.linalg.norm(dipoles, axis=-1)
        # isotropic directions have the median 1/2 +- 0.5/sqrt(32) = 0.09
        assert np.median(along) > 0.5 + 3 * 0.09
