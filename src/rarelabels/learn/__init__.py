"""From a data set and a trial to a fitted model with scores. TensorFlow is imported only when a network trains.

- ``fitting``: fits a model of any kind. ``fitted_model``: the interface of all fitted models.
- ``training``: trains networks, with ``network``, ``batches`` and ``curves``. ``tensorflow_setup``: quiet, one thread.
- ``weighting``, ``models``, ``optimizers``, ``pruning``, ``powerset``: the parts of a network.
- ``baselines``: models without TensorFlow. ``backbones``: frozen image networks. ``preprocessing``: rows to arrays.
- ``watched``: metrics that the threads watched. ``theory``: which true probability a trained score stands for.
- For any Keras model: ``losses`` (with ``logit_loss``, ``loss_formulas``), ``epoch_scores``, ``label_weights``. The
  suite builds its declared losses with ``losses.build``.
"""
