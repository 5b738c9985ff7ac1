"""The losses, pure functions of tensors. Every one is a sum over pictures; the step divides by the batch size.

N pictures, O outputs of fc8, K classes, W words. A set of objects or scenes has K rows of fc8 under a softmax, the
captions have W rows under a sigmoid each, and ``slice`` arguments say which rows these are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """How much each kind of answer counts; class cross-entropy counts 1."""

    label_smoothing: float = 0.0
    """Share of a class target that is spread evenly over all classes."""
    word: float = 1.0
    """Weight of one word's binary cross-entropy on a picture with captions."""
    implied_word: float = 1.0
    """Weight of one word's binary cross-entropy on a picture whose class decides the word."""


def class_loss(
    logits_NK: Tensor, targets_N: Tensor, label_smoothing: float = 0.0, among: Tensor | None = None
) -> Tensor:
    """Softmax cross-entropy against class numbers (section 5's objective), summed over pictures.

    ``among``: ascending numbers of the classes that the softmax is over, by default all K.
    """
    if among is not None:
        logits_NK, targets_N = logits_NK[:, among], torch.searchsorted(among, targets_N)
    return F.cross_entropy(logits_NK, targets_N, reduction="sum", label_smoothing=label_smoothing)


def word_loss(logits_NW: Tensor, targets_NW: Tensor) -> Tensor:
    """Binary cross-entropy against targets from 0 to 1, summed over pictures and words; a NaN target counts nothing."""
    known_NW = ~targets_NW.isnan()
    losses_NW = F.binary_cross_entropy_with_logits(logits_NW, targets_NW.nan_to_num(), reduction="none")
    return (losses_NW * known_NW).sum()


def class_set_loss(
    logits_NO: Tensor,
    targets_N: Tensor,
    classes: slice,
    weights: LossWeights,
    words: slice | None = None,
    word_targets_KW: Tensor | None = None,
    among: Tensor | None = None,
) -> Tensor:
    """Loss of pictures with a class: its cross-entropy, and that of the words which the class implies or excludes.

    ``word_targets_KW`` has 1, 0 or NaN (says nothing) for each class and word; without it only the class counts.
    ``among`` is that of :func:`class_loss`.
    """
    loss = class_loss(logits_NO[:, classes], targets_N, weights.label_smoothing, among)
    if words is None or word_targets_KW is None:
        return loss
    return loss + weights.implied_word * word_loss(logits_NO[:, words], word_targets_KW[targets_N])


def caption_set_loss(logits_NO: Tensor, targets_NW: Tensor, words: slice, weights: LossWeights) -> Tensor:
    """Loss of pictures with captions, whose targets are the share of people who said each word."""
    return weights.word * word_loss(logits_NO[:, words], targets_NW)


def teacher_loss(
    logits_NO: Tensor,
    teacher_logits_NO: Tensor,
    classes: Sequence[tuple[slice, float]],
    words: tuple[slice, float] | None = None,
    temperature: float = 1.0,
) -> Tensor:
    """Cross-entropy against the teachers' probabilities (Hinton et al., 2015), summed over pictures.

    ``classes`` are the rows of every softmax with their weights, ``words`` those of the words. Both logits of classes
    are divided by ``temperature`` and the loss is multiplied by its square, so that gradients keep their size (their
    section 2). Unlike labels, teachers leave no word open.
    """
    loss = logits_NO.new_zeros(())
    for rows, weight in classes:
        if weight:
            targets = (teacher_logits_NO[:, rows] / temperature).softmax(1)
            one = F.cross_entropy(logits_NO[:, rows] / temperature, targets, reduction="sum")
            loss = loss + weight * temperature**2 * one
    if words is not None:
        rows, weight = words
        loss = loss + weight * word_loss(logits_NO[:, rows], teacher_logits_NO[:, rows].sigmoid())
    return loss


def mixed_loss(loss: Tensor, partners_loss: Tensor, lam: float) -> Tensor:
    """Loss of pictures that are ``lam`` themselves and 1 - ``lam`` their partners (mixup, CutMix)."""
    return lam * loss + (1 - lam) * partners_loss


def distilled_loss(label_loss: Tensor, teachers_loss: Tensor, distillation_weight: float) -> Tensor:
    """The two losses interpolated: at 0 only the labels count, at 1 only the teachers."""
    return label_loss + distillation_weight * (teachers_loss - label_loss)
