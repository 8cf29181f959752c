"""``python -m rarelabels``."""

from rarelabels.cli import main

main()
