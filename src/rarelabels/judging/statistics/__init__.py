"""How sure the numbers are: a paired bootstrap (``bootstrap``), and what follows from it (``inference``)."""
