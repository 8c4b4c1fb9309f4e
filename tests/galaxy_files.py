"""A small result file of a galaxy job, by the real solver: coarse cells, few energies.

Nine nuclei and a local source as in jobs/geminga_lrmf.toml, from which the numbers are taken; the
cases share one solution, so that the file takes about two seconds.
"""

import subprocess
import sys
import tomllib

from hpc_cr.config.shipped import shipped_jobs

CASES = ("as-printed", "isotropic", "refitted", "consistent-kernel", "ratio-1e-1", "ratio-1e-3",
         "rise-0", "rise-0_3", "rise-0_8")  # fmt: skip


def small_job():
    """Text of the shipped job with 24 x 24 cells and 12 energies."""
    text = shipped_jobs()["geminga_lrmf"].read_text(encoding="utf-8")
    assert tuple(case["name"] for case in tomllib.loads(text)["case"]) == CASES
    smaller = text.replace('radius = "20 kpc"', 'radius = "20 kpc"\ncells = [24, 24]')
    smaller = smaller.replace("count = 40", "count = 12")
    assert smaller.count("cells = [24, 24]") == smaller.count("count = 12") == 1
    return smaller


def run(folder, text, name="galaxy"):
    """Run a job of this text in a folder; the path of its result."""
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "hpc_cr", "run", f"{name}.toml", "--quiet"], cwd=folder,
                   check=True, capture_output=True, timeout=120)  # fmt: skip
    return folder / f"{name}.h5"
