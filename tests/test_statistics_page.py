"""The program on the statistics page runs as it stands, on a small job of the kind it advises."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "hpc_cr" / "docs" / "statistics.md"
SMALLER = [("realisations = 32", "realisations = 3"), ("observers = 64", "observers = 4"),
           ('"0.1 pc"', '"10 pc"'), ("levels = 4", "levels = 2"), ('"1 PV"', '"50 PV"')]


def test_program_of_the_page(tmp_path):
    (job,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), flags=re.S)
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.S)
    for old, new in SMALLER:
        assert old in job, old
        job = job.replace(old, new)
    (tmp_path / "my.toml").write_text(job)
    (tmp_path / "page.py").write_text(program)
    for command in (["-m", "hpc_cr", "run", "my.toml", "--quiet"], ["page.py"]):
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True,
                              text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    values = re.findall(r"([\d.]+) \+- ([\d.]+) pc", done.stdout)
    assert len(values) == 3
    assert all(float(value) > 0 and float(error) > 0 for value, error in values)
