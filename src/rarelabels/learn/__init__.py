"""A data set and a trial to a fitted model with scores. TensorFlow is here alone, and imported when it trains.

- ``fitting``: whatever kind of model it is; ``fitted_model``: what may be asked of it.
- ``training``: networks, of ``network``, ``batches`` and ``curves``. ``tensorflow_setup``: quiet and on one thread.
- ``declared_losses``, ``weighting``, ``models``, ``optimizers``, ``pruning``, ``powerset``: what a network is made of.
- ``baselines``: without TensorFlow. ``backbones``: frozen networks of images. ``preprocessing``: rows to arrays.
- ``watched``: what the threads watched. ``theory``: what a trained score stands for.
- For anyone's model: ``losses`` (on ``logit_loss``, by ``loss_formulas``), ``epoch_scores``, ``label_weights``.
"""
