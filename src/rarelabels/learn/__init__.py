"""A data set and a trial to a fitted model with scores. TensorFlow is here alone, and imported when it trains.

- ``fitting``: whatever kind of model it is. ``training``: networks, of ``network``, ``batches`` and ``curves``.
- ``losses``, ``weighting``, ``models``, ``optimizers``, ``pruning``, ``powerset``: what a network is made of.
- ``baselines``: without TensorFlow. ``backbones``: frozen networks of images. ``preprocessing``: rows to arrays.
- ``watched``: what the threads watched. ``theory``: what a trained score stands for.
"""
