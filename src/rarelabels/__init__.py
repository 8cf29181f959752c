"""Rarelabels: a study suite for multi-label classification with rare positives.

Results made under the same major.minor version are comparable (see CHANGELOG.md).
"""

from importlib.metadata import version

__version__ = version("rarelabels")

THREADS = 1  # of TensorFlow in one process: runs are spread over processes
