"""What `import rarelabels` and `rl.judge` cost in a process of their own, beside bare Python and what they import.

Each is called in turn, five times; printed are the least seconds of a processor, which other work disturbs least, and
their ratio to the start of Python.
"""

from __future__ import annotations

import resource
import subprocess
import sys

ROUNDS = 5
MADE = """
import numpy as np
draw = np.random.default_rng(0)
y = draw.random((4_500, 17)) < 0.12
s = np.clip(0.4 * y + 0.6 * draw.random(y.shape), 0, 1)
"""
PROGRAMS = {
    "Python": "pass",
    "import rarelabels": "import rarelabels",
    "import pandas, scikit-learn, SciPy's statistics": "import pandas, sklearn.metrics, scipy.stats",
    "rl.judge, 3,000 x 17, thresholds from 1,500 rows, with intervals": MADE
    + "import rarelabels as rl; rl.judge(y[1_500:], s[1_500:], validation=(y[:1_500], s[:1_500]))",
}


def seconds(program: str) -> float:
    """Return the seconds of a processor that a process takes for a program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    took = {name: [] for name in PROGRAMS}
    for _ in range(ROUNDS):
        for name, program in PROGRAMS.items():
            took[name].append(seconds(program))
    bare = min(took["Python"])
    for name, each in took.items():
        print(f"{name:70} {min(each):6.2f} s  {min(each) / bare:6.1f} x")
