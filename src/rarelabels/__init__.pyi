from rarelabels.judging.settings import BalancedAccuracy as BalancedAccuracy
from rarelabels.judging.settings import Cost as Cost
from rarelabels.judging.settings import FBeta as FBeta
from rarelabels.judging.settings import Jaccard as Jaccard
from rarelabels.judging.thresholded_classifier import ThresholdedClassifier as ThresholdedClassifier
from rarelabels.judging.thresholds import best_thresholds as best_thresholds
from rarelabels.judging.thresholds import choose_rules as choose_rules
from rarelabels.learn import losses as losses
from rarelabels.learn.epoch_scores import EpochScores as EpochScores
from rarelabels.learn.label_weights import class_balanced as class_balanced
from rarelabels.learn.label_weights import pos_weight as pos_weight
from rarelabels.learn.label_weights import prevalence as prevalence
from rarelabels.show.judgement import judge as judge
from rarelabels.study.from_python import load_model as load_model
from rarelabels.study.from_python import run as run
from rarelabels.study.from_python import tune as tune
from rarelabels.study.recorded_study import Study as Study

__version__: str
