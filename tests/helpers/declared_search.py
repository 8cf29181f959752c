"""The smallest search of parameters that a trial may declare."""


def search(space: str) -> str:
    """Return the block ``tuning`` of a trial as YAML; ``space`` is YAML, too, ``{loss.gamma: {low: 0, high: 5}}``."""
    return (
        f"tuning: {{kind: parameters, space: {space}, metric: validation/half/macro_f1, direction: maximize, "
        "n_trials: 2, seeds: [0], sampler: {kind: random, seed: 0}, pruner: {kind: none}}\n"
    )
