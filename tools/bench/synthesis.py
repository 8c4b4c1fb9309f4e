"""P3: synthesis of one level of 256^3 cells, against its bare Fourier transforms.

The program fills the three components of a level's grid, in memory that is there already, as a
running job does. The yardstick are three real transforms of 256^3 float32 from half-complex
arrays, FFTW_ESTIMATE plans on aligned memory, one thread, nothing else.
"""

import time

import numpy as np
import pyfftw

from hpc_cr.fields.layouts import aligned_empty
from hpc_cr.fields.nested import field_layout, synthesis_steps
from tools.bench.kernels import single_job
from tools.bench.timing import Figure, take_turns


class BareTransforms:
    """Three c2r transforms of cells^3 float32."""

    def __init__(self, cells):
        shape = (cells, cells, cells // 2 + 1)
        generator = np.random.default_rng(1)
        self._modes = generator.standard_normal((*shape, 2), np.float32).view(np.complex64)[..., 0]
        self._input = pyfftw.empty_aligned(shape, "complex64")
        output = pyfftw.empty_aligned((cells,) * 3, "float32")
        wisdom = pyfftw.export_wisdom()
        pyfftw.forget_wisdom()
        self._plan = pyfftw.FFTW(self._input, output, axes=(0, 1, 2), direction="FFTW_BACKWARD",
                                 flags=("FFTW_ESTIMATE", "FFTW_DESTROY_INPUT"), threads=1)
        pyfftw.import_wisdom(wisdom)

    def seconds(self):
        """Seconds of the three transforms; filling their input does not count."""
        total = 0.0
        for _ in range(3):
            self._input[...] = self._modes
            began = time.process_time()
            self._plan.execute()
            total += time.process_time() - began
        return total


def measure(rounds, say, cells=256, overrides=()):
    """Figures of P3: seconds per level (list of Figure)."""
    job = single_job(cells, overrides=overrides)
    spectrum, grid = (aligned_empty(*layout) for layout in field_layout(job))
    transforms = BareTransforms(cells)

    def program():
        began = time.process_time()
        for _ in synthesis_steps(job, 0, spectrum, grid):
            pass
        return time.process_time() - began

    say("compilation and plans")
    program(), transforms.seconds()
    done = iter(range(1, 2 * rounds + 1))
    found = take_turns({"program": program, "bare": transforms.seconds}, rounds,
                       lambda: say(f"run {next(done)} of {2 * rounds}"))
    return [Figure("P3", f"synthesis of a level of {cells}^3 cells", "s", found["program"],
                   "its bare transforms", found["bare"])]
