from rarelabels.learn import losses as losses
from rarelabels.learn.epoch_scores import EpochScores as EpochScores
from rarelabels.learn.label_weights import class_balanced as class_balanced
from rarelabels.learn.label_weights import pos_weight as pos_weight
from rarelabels.learn.label_weights import prevalence as prevalence

__version__: str
Cost = _CostMatrix
