"""The formulas of the losses: from labels y and logits z, both (batch, n_labels), to the loss of each row, (batch,).

A loss is the mean over labels unless its docstring says otherwise, so that curves can be compared.
In the formulas, z is a logit, p = σ(z), y the 0/1 target, and π the prevalence of a label in the training part.

``known`` is 1 for each cell that is known and 0 for the others, (batch, n_labels); None if all cells are. Unknown cells
have label 0 and logit 0; see ``LogitLoss.cells``. They add nothing.
"""

from __future__ import annotations

from typing import Any

from rarelabels.learn.keras_backend import tf

Tensor = Any

KERAS_EPSILON = 1e-7  # Keras clips probabilities to [ε, 1 − ε] before a logarithm


def mean_over_labels(cells: Tensor, known: Tensor | None = None) -> Tensor:
    """Return the mean over the labels of each row, (batch,).

    With ``known``, each row's sum over its known labels is divided by their mean number in a row of the batch. So the
    mean over rows is the mean over the known cells of the batch: each counts the same, in whichever row it is. A row
    without known labels has 0, and so has a batch without any.
    """
    if known is None:
        return tf.reduce_mean(cells, axis=-1)
    return tf.math.divide_no_nan(tf.reduce_sum(known * cells, axis=-1), tf.reduce_mean(tf.reduce_sum(known, axis=-1)))


def binary_crossentropy(y: Tensor, z: Tensor, known: Tensor | None = None) -> Tensor:
    """−y log p − (1−y) log(1−p), in the stable logit form; mean over labels.

    Keras 3 trains this formula with a softmax head too, because its loss reads the logits before the activation. So the
    head changes the scores, not the training. (If another operation follows the activation, the loss reads the
    probabilities.)

    A logit of 0 costs ln 2 = 0.6931 for either target.
    """
    return mean_over_labels(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z), known)


def smoothed(y: Tensor, share: float) -> Tensor:
    """y·(1−ε) + ε/2, as Keras smooths binary targets; with ε = 0.1, targets are 0.05 and 0.95."""
    return y * (1 - share) + share / 2


def softmax_binary_crossentropy(y: Tensor, z: Tensor) -> Tensor:
    """−y log p − (1−y) log(1−p) with p = softmax(z), clipped as Keras clips probabilities; mean over labels."""
    p = tf.clip_by_value(tf.nn.softmax(z), KERAS_EPSILON, 1 - KERAS_EPSILON)
    return -tf.reduce_mean(y * tf.math.log(p) + (1 - y) * tf.math.log(1 - p), axis=-1)


def weighted_binary_crossentropy(
    y: Tensor, z: Tensor, positive: Tensor, negative: Tensor, known: Tensor | None = None
) -> Tensor:
    """w₁·y·(−log p) + w₀·(1−y)·(−log(1−p)), mean over labels; the factors are scalars or of shape (n_labels,).

    The minimiser for a label with probability q is p = w₁q / (w₁q + w₀(1−q)). So a threshold of 0.5 on p means a
    threshold of w₀/(w₀+w₁) on q. Example: if positives count three times, a label is predicted from q = 0.25. With both
    factors 1 it is binary cross-entropy.

    With w₀ = 1 it equals ``tf.nn.weighted_cross_entropy_with_logits``, except for the gradient at a logit of exactly 0.
    There, TensorFlow's formula takes the derivative of |z| as 0, so that its gradient is 1 − y. The logits of a row
    without tokens start at 0.
    """
    loss = positive * y * tf.math.softplus(-z) + negative * (1 - y) * tf.math.softplus(z)
    return mean_over_labels(loss, known)


def binary_focal(
    y: Tensor,
    z: Tensor,
    gamma: Tensor,
    alpha: tuple[Tensor, Tensor] | None,
    over_labels: str = "mean",
    known: Tensor | None = None,
) -> Tensor:
    """(1−p_t)^γ · BCE, where p_t = p if y = 1, else 1−p. With ``alpha``, times α for positives and 1−α for negatives.

    ``over_labels="sum"`` has the scale of TensorFlow Addons; with ``known``, it is the mean times the number of labels.
    With γ = 0 and no α it is binary cross-entropy.
    A logit of 0 with γ = 2 costs ln 2 / 4 = 0.1733.

    Source: Lin et al. (2017), "Focal loss for dense object detection".
    """
    loss = y * focal_term(z, gamma) + (1 - y) * focal_term(-z, gamma)
    if alpha is not None:
        loss *= y * alpha[0] + (1 - y) * alpha[1]
    if over_labels == "sum":
        if known is None:
            return tf.reduce_sum(loss, axis=-1)
        return mean_over_labels(loss, known) * tf.cast(tf.shape(z)[-1], z.dtype)
    return mean_over_labels(loss, known)


def focal_term(towards: Tensor, gamma: Tensor) -> Tensor:
    """(1−q)^γ · −log q for the probability q = σ(``towards``) of the true target."""
    # (1 − q)^γ is computed by softplus: as a power its gradient is not finite if 1 − q underflows and γ < 1
    return tf.exp(-gamma * tf.math.softplus(towards)) * tf.math.softplus(-towards)


def categorical_crossentropy(y: Tensor, z: Tensor, head: str, form: str) -> Tensor:
    """Categorical cross-entropy, sum over labels.

    - ``shipped``: −Σ y log softmax(z) with the gradient softmax(z) − y, for either head, as Keras 3 back-propagates
      it. That gradient belongs to the value only for rows whose targets sum to 1.
    - ``textbook``: the printed formula with its own gradient. For a sigmoid head it is −Σ y log(p_l / Σ p) with
      p = σ(z), for a softmax head −Σ y log softmax(z).
    """
    if form == "shipped":
        return tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=z)
    if head == "softmax":
        return -tf.reduce_sum(y * tf.nn.log_softmax(z), axis=-1)
    log_p = tf.math.log_sigmoid(z)
    return -tf.reduce_sum(y * (log_p - tf.reduce_logsumexp(log_p, axis=-1, keepdims=True)), axis=-1)


def normalised_categorical_crossentropy(y: Tensor, z: Tensor, head: str, form: str) -> Tensor:
    """Categorical cross-entropy with targets 1/k for the k labels of a row.

    A row without labels contributes nothing: neither a value nor, in the shipped form, the gradient softmax(z) − 0.
    """
    k = tf.reduce_sum(y, axis=-1)
    loss = categorical_crossentropy(tf.math.divide_no_nan(y, k[:, None]), z, head, form)
    return tf.where(k > 0, loss, tf.zeros_like(loss))


def label_set_crossentropy(classes: Tensor, z: Tensor) -> Tensor:
    """−log softmax(z) at the row's class, (batch,), without a one-hot: categorical cross-entropy of label sets.

    Logits of 0 for the 8 sets of three labels cost ln 8 = 2.0794.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=z)


def asymmetric(
    y: Tensor, z: Tensor, gamma_positive: float, gamma_negative: float, shift: float, known: Tensor | None = None
) -> Tensor:
    """y·(1−p)^γ₊·(−log p) + (1−y)·p_m^γ₋·(−log(1−p_m)) with p_m = max(p − m, 0), m = ``shift``; mean over labels.

    The gradient includes the focal factors, as in the paper; the authors' code can treat them as constants. The
    authors' code sums over labels and rows. Here it is a mean, so learning rates for that code do not carry over. With
    both γ = 0 and m = 0 it is binary cross-entropy; with equal γ and m = 0 it is the focal loss.

    With γ₊ = 1, γ₋ = 4 and m = 0.05, a logit of 0 costs 0.5 · ln 2 = 0.3466 for a positive, and
    0.45⁴ · −ln 0.55 = 0.0245 for a negative.

    Source: Ridnik et al. (2021), "Asymmetric loss for multi-label classification".
    """
    negative = focal_term(-z, gamma_negative) if shift == 0 else shifted_negative(z, gamma_negative, shift)
    return mean_over_labels(y * focal_term(z, gamma_positive) + (1 - y) * negative, known)


def shifted_negative(z: Tensor, gamma: float, shift: float) -> Tensor:
    """p_m^γ · −log(1−p_m) with p_m = max(p − m, 0) and m > 0."""
    excess = tf.sigmoid(z) - shift
    costs = excess > 0
    # where the loss is 0, any positive number keeps the logarithm and its gradient finite
    logit = tf.math.log(tf.where(costs, excess, tf.ones_like(excess))) - tf.math.log(tf.sigmoid(-z) + shift)
    return tf.where(costs, focal_term(-logit, gamma), tf.zeros_like(z))


def distribution_balanced(
    y: Tensor,
    z: Tensor,
    prevalence: Tensor,
    *,
    alpha: float,
    beta: float,
    mu: float,
    kappa: float,
    negative_scale: float,
    known: Tensor | None = None,
) -> Tensor:
    """r̂·[y·softplus(−(z−ν)) + (1−y)·softplus(λ(z−ν))/λ], mean over labels.

    - Rebalanced weights: r = (1/π_l) / Σ_{j of the row} 1/π_j. Under class-balanced sampling, it compares how often a
      row would be drawn for label l with how often it would be drawn at all. The weight r̂ = α + σ(β(r − μ)) applies to
      both terms of every label. A row without labels would never be drawn: r is infinite, and r̂ = α + 1.
    - Negative-tolerant regularisation: ν = −κ·log(π/(1−π)). With λ > 1, the pull on negatives fades sooner.

    The formulas are those of the paper. The schema's defaults are those of the paper for COCO-MLT (for VOC-MLT: λ = 5,
    μ = 0.3). The authors' code differs in three things: κ/λ in place of κ, a focal factor 2·(1−p_t)², and sampling by
    class.

    Example: two labels of prevalence 0.5 and 0.1, and a row with the second label. It has r = (0.2, 1) and, with
    α = 0.1, β = 10 and μ = 0.2, r̂ = (0.6, 1.0997). With logits 0, κ = 0.05 and λ = 2 it costs
    (0.6·ln 2/2 + 1.0997·ln(1 + e^0.10986))/2 = 0.5161.

    Source: Wu et al. (2020), "Distribution-balanced loss for multi-label classification in long-tailed datasets".
    """
    inverse = 1 / prevalence
    of_row = tf.reduce_sum(y * inverse, axis=-1, keepdims=True)
    ratio = tf.math.divide_no_nan(inverse, of_row)
    of_ratio = tf.sigmoid(beta * (ratio - mu))
    weight = alpha + tf.where(of_row > 0, of_ratio, tf.ones_like(of_ratio))
    moved = z + kappa * log_odds(prevalence)
    negative = tf.math.softplus(negative_scale * moved) / negative_scale
    return mean_over_labels(weight * (y * tf.math.softplus(-moved) + (1 - y) * negative), known)


def logit_adjusted(y: Tensor, z: Tensor, prevalence: Tensor, tau: Tensor, known: Tensor | None = None) -> Tensor:
    """Binary cross-entropy of z + τ·log(π/(1−π)); scores are σ(z) alone.

    For a label with probability q, a net that fits perfectly predicts z = logit q − τ·log(π/(1−π)). So with τ = 1, a
    threshold of 0.5 on the score means a threshold of π on q. With τ = 1, a logit of 0 costs ln(1/π) for a positive;
    with π = 0.1 that is ln 10 = 2.3026.

    Source: Menon et al. (2021), "Long-tail learning via logit adjustment", where it is for softmax.
    """
    return binary_crossentropy(y, z + tau * log_odds(prevalence), known)


def log_odds(prevalence: Tensor) -> Tensor:
    """log(π/(1−π))."""
    return tf.math.log(prevalence) - tf.math.log1p(-prevalence)


def hill(y: Tensor, z: Tensor, lamb: float, margin: float, gamma: float, known: Tensor | None = None) -> Tensor:
    """y·(1−p_m)^γ·(−log p_m) + (1−y)·(λ−p)·p², with p_m = σ(z−m); mean over labels.

    A negative's pull (its slope in z) grows with p, and falls again where p is near 1: such a negative is likely a
    positive that nobody annotated. With λ = 1.5, the slope is 3p²(1−p)², greatest at p = 0.5. The margin m moves
    the positives' focal loss, so that positives are pulled upwards for longer.

    With λ = 1.5, m = 1 and γ = 2, a logit of 0 costs 0.7311² · 1.3133 = 0.7019 for a positive, and 1 · 0.25 = 0.25 for
    a negative.

    Source: Zhang et al. (2021), "Simple and robust loss design for multi-label learning with missing labels", arXiv
    2112.07368. Value and defaults are those of the authors' code, which sums over labels and rows. Here it is a mean.
    """
    p = tf.sigmoid(z)
    return mean_over_labels(y * focal_term(z - margin, gamma) + (1 - y) * (lamb - p) * tf.square(p), known)


def self_paced_correction(
    y: Tensor, z: Tensor, corrects: Tensor, tau: float, margin: float, gamma: float, known: Tensor | None = None
) -> Tensor:
    """Focal loss with a margin for positives, where a likely negative is taken for a positive; mean over labels.

    A positive costs (1−p_m)^γ·(−log p_m), with p_m = σ(z−m). A negative costs p^γ·(−log(1−p)). If ``corrects`` is 1, a
    negative with p > τ is taken for a positive without margin: it costs (1−p)^γ·(−log p).

    With m = 1 and γ = 2, a logit of 0 costs 0.7311² · 1.3133 = 0.7019 for a positive, and 0.25 · ln 2 = 0.1733 for a
    negative.

    Source: Zhang et al. (2021), as for :func:`hill`: SPLC with the focal margin loss, as in the authors' code, which
    sums over labels and rows. Here it is a mean.
    """
    towards_zero, towards_one = focal_term(-z, gamma), focal_term(z, gamma)
    is_corrected = tf.logical_and(tf.sigmoid(z) > tau, tf.cast(corrects, tf.bool))
    negative = tf.where(is_corrected, towards_one, towards_zero)
    return mean_over_labels(y * focal_term(z - margin, gamma) + (1 - y) * negative, known)


def hamming(y: Tensor, z: Tensor, known: Tensor | None = None) -> Tensor:
    """y(1−p) + (1−y)p, mean over labels: the expected Hamming loss if labels are drawn with their probabilities.

    It is linear in p. So its minimiser is 1 for a label with probability above 0.5, and 0 below. A label whose
    probability is below 0.5 for every row is therefore never predicted. The gradient ±p(1−p) fades where the net is
    sure, right or wrong. A logit of 0 costs 0.5 for either target.
    """
    p = tf.sigmoid(z)
    return mean_over_labels(y * (1 - p) + (1 - y) * p, known)


def soft_f1(y: Tensor, z: Tensor, rows: Tensor | None = None, known: Tensor | None = None) -> Tensor:
    """1 − mean over labels of 2tp / (2tp + fp + fn), with tp = Σ y·p, fp = Σ (1−y)·p, fn = Σ y·(1−p) over the batch.

    This is a loss of the batch, not of its rows. Each row gets the same value, so Keras's mean over rows leaves it as
    it is. The value depends on the batch size. The mean covers all labels. A label without positives in the batch has
    F1 = 0 (0/0 counts as 0) and no gradient. It costs 1/n_labels, and does not change the weight of other labels.

    ``rows`` are weights of the rows, (batch,): a row of weight 2 counts as two rows in tp, fp and fn. With ``known``,
    the sums are over known cells, and the mean is over the labels that have any.

    Example: two rows with logits 0, and one label, which the first row has. Then tp = fp = fn = 0.5, F1 = 0.5, and the
    loss is 0.5.
    """
    p = tf.sigmoid(z) if known is None else known * tf.sigmoid(z)
    counted_y, counted_p = (y, p) if rows is None else (rows[:, None] * y, rows[:, None] * p)
    twice_tp = 2 * tf.reduce_sum(y * counted_p, axis=0)
    f1 = tf.math.divide_no_nan(twice_tp, tf.reduce_sum(counted_y, axis=0) + tf.reduce_sum(counted_p, axis=0))
    if known is None:
        return (1 - tf.reduce_mean(f1)) * tf.ones_like(z[:, 0])
    judged = tf.cast(tf.reduce_any(known > 0, axis=0), z.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(judged * (1 - f1)), tf.reduce_sum(judged)) * tf.ones_like(z[:, 0])
