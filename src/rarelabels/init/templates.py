"""The texts of the files that ``rarelabels init`` writes. ``propose`` replaces the words in capitals."""

from __future__ import annotations

BASE = """\
# What every trial of every study shares unless it says otherwise.
loss: {kind: bce}
weighting: {kind: none}
thresholds: {min_positives: 5, objective: {kind: f_beta, beta: 1.0}, calibration: none}
seeds: [0, 1, 2, 3, 4]
"""

DATASET = """\
# Proposed by `rarelabels init`; the path is relative to this file. Another min_rows gives another test part.
extends: ../base.yaml
dataset:
  kind: table
"""

FLOORS = {
    "floor_zeros": """\
question: What do all the metrics say of a predictor that answers no to everything?
thread: beyond the threads
model: {kind: floor, predicts: zeros}
""",
    "floor_prior": """\
question: What do they say of a predictor that gives every row the same label frequencies?
thread: beyond the threads
model: {kind: floor, predicts: prior}
""",
}

LINEAR = """\
question: How far does one logistic regression for each label get, before any network?
thread: beyond the threads
model: {kind: linear, LINEAR_MODEL}
"""

BOOSTING = """\
question: How far do boosted trees get, one model for each label?
thread: beyond the threads
model: {kind: gradient_boosting}
"""

DEEP = """\
question: Does a dense part beside the direct path from words to labels gain anything?
thread: beyond the threads
model: {width: 32, dropout: 0.2}
training: {learning_rate: 3.0e-3}
watch: [binary_accuracy]
"""

LOSSES = {
    "bce": """\
question: How far does the network get with plain binary cross-entropy?
thread: beyond the threads
watch: [binary_accuracy]
""",
    "pos_weight": """\
question: Does weighting each label's positives by its negatives over positives do more than move a threshold?
thread: beyond the threads
loss: {kind: weighted_bce}
weighting: {kind: pos_weight, strength: 1.0, cap: 100.0}
watch: [binary_accuracy]
""",
    "focal": """\
question: Does focal loss rank labels better than plain binary cross-entropy?
thread: beyond the threads (Lin et al. 2017)
loss: {kind: binary_focal, gamma: 2.0, alpha: 0.25}
watch: [auc]
""",
    "asymmetric": """\
question: Does the asymmetric loss, which forgets easy negatives, do better than binary cross-entropy?
thread: beyond the threads (Ridnik et al. 2021)
loss: {kind: asymmetric, gamma_positive: 1.0, gamma_negative: 4.0, shift: 0.05}
watch: [auc]
""",
}

STUDY = """\
title: TITLE
question: Which loss, which weights and which threshold rule should one use on this table?
thread: beyond the threads
# What a network must keep up with, within competence_margin (0.01 of macro average precision on test): where it does
# not, verdicts on losses and weights give no advice.
baselines: [BASELINES]
PROTOCOL
# With the margins of the other studies. Change them before the first run: each run records which ones it met.
hypotheses:
  - name: accuracy_is_zeros
    claim: The network is hardly more accurate than all zeros, so that accuracy says nothing here.
    source: rarelabels init; so it was on films
    trial: bce
    against: floor_zeros
    metric: test/half/binary_accuracy
    direction: equal
    margin: 0.02
    advice:
      about: metric
      higher: Accuracy tells the net from predicting nothing; read it beside that floor.
      lower: Do not judge by accuracy; the net is less accurate than predicting nothing.
      equal: Do not judge by accuracy; a net is hardly more accurate than predicting nothing.
      undecided: Whether accuracy tells the net from predicting nothing is not decided; do not judge by it alone.
  - name: thresholds_help
    claim: Without any weights, a threshold for each label gives a better macro-F1 than 0.5.
    source: rarelabels init; so it was on films
    trial: bce
    against: bce
    metric: test/per_label/macro_f1
    against_metric: test/half/macro_f1
    direction: greater
    margin: 0.03
    advice:
      about: threshold
      higher: Choose a threshold for each label on validation.
      lower: A threshold for each label is worse than 0.5; keep 0.5, or one for all.
      equal: A threshold for each label does not gain 0.03 over 0.5; keep 0.5, or one for all.
      undecided: Whether a threshold for each label gains 0.03 over 0.5 is not decided; more test rows would tell.
  - name: weights_help_at_half
    claim: Weighting positives by negatives over positives gives a better macro-F1 at 0.5.
    source: rarelabels init; so it was on films
    trial: pos_weight
    against: bce
    metric: test/half/macro_f1
    direction: greater
    margin: 0.03
    advice:
      about: weights
      higher: If decisions must stay at 0.5, weight the positives.
      lower: At 0.5 the weights harm macro-F1; leave them out.
      equal: At 0.5 the weights do not gain 0.03; leave them out.
      undecided: Whether the weights gain 0.03 at 0.5 is not decided; leave them out, which is simpler.
  - name: weights_are_a_threshold
    claim: With a threshold for each label nothing of what the weights gained is left.
    source: rarelabels init; so it was on films
    trial: pos_weight
    against: bce
    metric: test/per_label/macro_f1
    direction: equal
    margin: 0.02
    advice:
      about: weights
      higher: With a threshold for each label, too, weights gain more than 0.02; keep them.
      lower: With a threshold for each label, weights lose more than 0.02; leave them out.
      equal: With a threshold for each label, leave the weights out.
      undecided: >-
        Whether weights still change anything with a threshold for each label is not decided; leave them out, which
        is simpler.
  - name: focal_ranks_no_better
    claim: Focal loss ranks labels as well as binary cross-entropy, not better.
    source: rarelabels init; so it was on films
    trial: focal
    against: bce
    metric: test/ranking/macro_average_precision
    direction: equal
    margin: 0.02
    advice:
      about: loss
      higher: Focal loss ranks better than binary cross-entropy, by more than 0.02; use it.
      lower: Focal loss ranks worse than binary cross-entropy, by more than 0.02; keep the latter.
      equal: Focal loss ranks no better than binary cross-entropy; keep the latter.
      undecided: >-
        Whether focal loss ranks as binary cross-entropy does is not decided; keep the latter, which is simpler.
  - name: asymmetric_helps
    claim: The asymmetric loss beats binary cross-entropy under a threshold for each label.
    source: rarelabels init (Ridnik et al. 2021)
    trial: asymmetric
    against: bce
    metric: test/per_label/macro_f1
    direction: greater
    margin: 0.02
    advice:
      about: loss
      higher: Use the asymmetric loss.
      lower: The asymmetric loss is worse than binary cross-entropy; keep the latter.
      equal: The asymmetric loss does not gain 0.02; binary cross-entropy is enough.
      undecided: Whether the asymmetric loss gains 0.02 is not decided; keep binary cross-entropy, which is simpler.
  - name: linear_is_as_good
    claim: The network is as good as logistic regression, so that conclusions do not hang on a badly trained net.
    source: rarelabels init
    trial: bce
    against: linear
    metric: test/per_label/macro_f1
    direction: equal
    margin: 0.03
    advice:
      about: loss
      higher: The network is better than logistic regression by more than 0.03; it is worth its training.
      lower: >-
        The network is worse than logistic regression by more than 0.03; use logistic regression, or train the
        network better.
      equal: Logistic regression is as good as the network, and cheaper.
      undecided: >-
        Whether the network or logistic regression is better is not decided; take logistic regression, which is
        cheaper.
"""

OF_DEEP = """\
  - name: deep_ranks_better
    claim: A dense part beside the direct path from words to labels ranks labels better.
    source: rarelabels init
    trial: deep
    against: bce
    metric: test/ranking/macro_average_precision
    direction: greater
    margin: 0.01
"""

OF_BOOSTING = """\
  - name: boosting_ranks_better
    claim: Boosted trees rank labels better than the network.
    source: rarelabels init
    trial: gradient_boosting
    against: bce
    metric: test/ranking/macro_average_precision
    direction: greater
    margin: 0.01
"""

EACH_TUNED = """\
# Before its seeds every network's rate, penalty and own numbers are searched, with the same number of trainings.
protocol: each_tuned
search: {trainings: TRAININGS, seeds: SEEDS, metric: crossfit/per_label/macro_f1}"""

SAME_SETTINGS = """\
# All networks have the settings of _base.yaml; each_tuned searches those of each first.
protocol: same_settings"""
