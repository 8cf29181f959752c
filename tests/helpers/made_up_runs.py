"""A record of runs that were never made, and the ranking of its trials."""

from types import SimpleNamespace

import pandas as pd

from made_up_estimates import estimate, rows
from rarelabels.compare import ranking
from rarelabels.compare.ranking import chosen_by
from rarelabels.record import estimates, reading
from rarelabels.record.identities import Identity

F1 = "per_label/macro_f1"


class House:
    """A record of runs that were never made."""

    def __init__(self, trial, monkeypatch):
        self.trial, self.runs, self.identities, self.found = trial, [], [], {}
        monkeypatch.setattr(reading, "summary", self.summary)
        monkeypatch.setattr(
            estimates, "of_trial", lambda _, parent, _children, _metrics: self.found[parent.data.tags["trial"]]
        )

    def add(self, name, values, test=0.5, seeds=(0, 1), metric="crossfit/per_label/macro_f1", tags=None, **changed):
        """Declare a trial with seeds and record a run for each value, the first seed's first; None is not run."""
        trial = self.trial.model_copy(update={"name": f"movies/{name}", **changed})
        for seed, value in zip(seeds, values, strict=True):
            one = Identity(trial, "", seed, f"definition {name}", f"mark {name} {seed}", "", "")
            self.identities.append(one)
            if value is not None:
                measured = {metric: value, f"test/{metric.partition('/')[2]}": test}
                self.record(one, measured, {"kind": "run", "seed": str(seed), **(tags or {})})
        done = [str(seed) for seed, value in zip(seeds, values, strict=True) if value is not None]
        self.record(self.identities[-1], {}, {"kind": "trial", "seeds": " ".join(done), "summed_up": "yes"})
        found = estimate(test, 0.01 * rows(len(self.runs)), seeds=len(done))
        self.found[f"movies/{name}"] = {f"test/{metric.partition('/')[2]}": found}

    def record(self, one, measured, tags):
        known = {"trial": one.trial.name, "variant": "", "overrides": "", "definition": one.definition}
        known |= {"fingerprint": one.fingerprint, "test_part": "these rows"} | tags
        info = SimpleNamespace(run_id=f"run {len(self.runs)}", status="FINISHED", end_time=len(self.runs))
        self.runs.append(SimpleNamespace(info=info, data=SimpleNamespace(tags=known, metrics=measured, params={})))

    def summary(self, _, parent):
        found = self.found[parent.data.tags["trial"]]
        return pd.DataFrame({"metric": list(found), "mean": 0.5, "low": 0.4, "high": 0.6})

    def rank(self, metric=F1, skipped=()):
        names = {one.parent_key: one.trial.short_name for one in self.identities}
        return ranking.rank(None, self.runs, self.identities, names, skipped, chosen_by(metric))


def order(ranked) -> list[str]:
    return [one.name for one in ranked.ranked]
