"""How sure the numbers are.

``influence`` is the influence of test rows on every metric. ``estimate`` makes intervals from it and from the seeds.
``inference`` compares many trials. ``reliability`` says which intervals cannot be relied on.
"""
