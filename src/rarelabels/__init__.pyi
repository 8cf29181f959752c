from rarelabels.judging.settings import BalancedAccuracy as BalancedAccuracy
from rarelabels.judging.settings import CostMatrix as _CostMatrix
from rarelabels.judging.settings import FBeta as FBeta
from rarelabels.judging.settings import Jaccard as Jaccard
from rarelabels.judging.thresholded_classifier import ThresholdedClassifier as ThresholdedClassifier
from rarelabels.judging.thresholds import best_thresholds as best_thresholds
from rarelabels.judging.thresholds import choose_rules as choose_rules
from rarelabels.show.judgement import judge as judge

__version__: str
Cost = _CostMatrix
