"""Truth, scores and rules of a trial with rare labels, made by chance."""

import numpy as np

from rarelabels.judging.rules.definition import Rule


def trial(n_rows=60, n_labels=5, n_seeds=3, seed=0, decimals=1):
    """Truth with rare labels, scores with ties, and rules for each seed."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n_rows, n_labels)) < np.linspace(0.4, 0.02, n_labels)
    truth[0] = True
    scores = [
        np.round(np.clip(0.4 * truth + 0.6 * rng.random(truth.shape), 0, 1), decimals).astype(np.float32)
        for _ in range(n_seeds)
    ]
    rules = [
        {
            "half": Rule("half", np.full(n_labels, 0.5), fallbacks=0),
            "per_label": Rule("per_label", rng.random(n_labels), fallbacks=0),
            "top_k": Rule("top_k", np.full(n_labels, -1.0), fallbacks=0, at_most=2),
        }
        for _ in range(n_seeds)
    ]
    return truth, scores, rules
