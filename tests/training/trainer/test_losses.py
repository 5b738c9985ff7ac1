"""The losses, each against PyTorch's own or against the sum written out."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.trainer.losses import (
    LossWeights,
    caption_set_loss,
    class_loss,
    class_set_loss,
    distilled_loss,
    mixed_loss,
    teacher_loss,
    word_loss,
)

CLASSES, WORDS = slice(0, 4), slice(4, 7)
WEIGHTS = LossWeights(label_smoothing=0.1, word=0.2, implied_word=0.05)


def random_logits(seed: int = 0) -> Tensor:
    """Five pictures, seven outputs: four classes and three words."""
    return torch.randn(5, 7, generator=torch.Generator().manual_seed(seed))


TARGETS = torch.tensor([0, 3, 1, 1, 2])
NAN = float("nan")
WORD_TARGETS_KW = torch.tensor([[1.0, 0.0, NAN], [0.0, 1.0, 1.0], [NAN, NAN, NAN], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_class_loss_is_torchs_cross_entropy(smoothing: float) -> None:
    logits = random_logits()[:, CLASSES]
    expected = nn.CrossEntropyLoss(reduction="sum", label_smoothing=smoothing)(logits, TARGETS)
    assert torch.equal(class_loss(logits, TARGETS, smoothing), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_label_among_some_classes_says_nothing_of_the_others(smoothing: float) -> None:
    logits = random_logits().requires_grad_()
    targets = torch.tensor([1, 3, 1, 1, 3])
    loss = class_set_loss(logits, targets, CLASSES, LossWeights(label_smoothing=smoothing), among=torch.tensor([1, 3]))
    two = F.cross_entropy(logits[:, [1, 3]], targets // 3, reduction="sum", label_smoothing=smoothing)
    torch.testing.assert_close(loss, two)
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad[:, [1, 3]] != 0).all()
    assert not logits.grad[:, [0, 2, 4, 5, 6]].any()


def test_the_word_loss_is_torchs_binary_cross_entropy_where_all_is_known() -> None:
    logits, targets = random_logits()[:, WORDS], torch.rand(5, 3, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(word_loss(logits, targets), nn.BCEWithLogitsLoss(reduction="sum")(logits, targets))


def test_a_word_of_which_nothing_is_known_has_no_loss_and_no_gradient() -> None:
    logits = random_logits()[:, WORDS].requires_grad_()
    targets = torch.ones(5, 3)
    targets[1, 2] = NAN
    loss = word_loss(logits, targets)
    loss.backward()
    known = ~targets.isnan()
    torch.testing.assert_close(loss, F.binary_cross_entropy_with_logits(logits[known], targets[known], reduction="sum"))
    assert logits.grad is not None
    assert logits.grad[1, 2] == 0
    assert (logits.grad[known] != 0).all()


def test_a_picture_with_a_class_counts_in_the_words_that_its_class_decides() -> None:
    logits = random_logits()
    classes_only = F.cross_entropy(logits[:, CLASSES], TARGETS, reduction="sum", label_smoothing=0.1)
    torch.testing.assert_close(class_set_loss(logits, TARGETS, CLASSES, WEIGHTS), classes_only)
    decided = [(0, 0, 1.0), (0, 1, 0.0), (1, 0, 0.0), (1, 1, 0.0), (1, 2, 0.0)]  # pictures of classes 0 and 3
    decided += [(n, w, t) for n in (2, 3) for w, t in enumerate((0.0, 1.0, 1.0))]  # of class 1; class 2 says nothing
    words = sum(F.binary_cross_entropy_with_logits(logits[n, 4 + w], torch.tensor(t)) for n, w, t in decided)
    loss = class_set_loss(logits, TARGETS, CLASSES, WEIGHTS, WORDS, WORD_TARGETS_KW)
    torch.testing.assert_close(loss, classes_only + 0.05 * words)


def test_a_picture_with_captions_counts_in_the_words_alone() -> None:
    logits, targets = random_logits().requires_grad_(), torch.full((5, 3), 0.4)
    loss = caption_set_loss(logits, targets, WORDS, WEIGHTS)
    loss.backward()
    expected = nn.BCEWithLogitsLoss(reduction="sum")(logits[:, WORDS], targets)
    torch.testing.assert_close(loss, 0.2 * expected)
    assert logits.grad is not None
    assert (logits.grad[:, CLASSES] == 0).all()


def test_the_teachers_loss_is_cross_entropy_against_their_probabilities() -> None:
    logits, teacher = random_logits(), random_logits(1)
    words = nn.BCEWithLogitsLoss(reduction="sum")(logits[:, WORDS], teacher[:, WORDS].sigmoid())
    torch.testing.assert_close(teacher_loss(logits, teacher, [], (WORDS, 0.2)), 0.2 * words)
    divergence = F.kl_div(
        logits[:, CLASSES].log_softmax(1), teacher[:, CLASSES].log_softmax(1), log_target=True, reduction="sum"
    )
    entropy = torch.distributions.Categorical(logits=teacher[:, CLASSES]).entropy().sum()
    torch.testing.assert_close(teacher_loss(logits, teacher, [(CLASSES, 1.0)]), divergence + entropy)
    both = teacher_loss(logits, teacher, [(CLASSES, 0.5), (WORDS, 0.0)], (WORDS, 0.2))
    torch.testing.assert_close(both, 0.5 * (divergence + entropy) + 0.2 * words)
    assert teacher_loss(logits, teacher, []) == 0


def test_temperature_softens_the_teachers_and_keeps_the_size_of_gradients() -> None:
    logits, teacher = 0.01 * random_logits(), random_logits(1)
    soft = teacher_loss(logits, teacher, [(CLASSES, 1.0)], temperature=4.0)
    expected = F.cross_entropy(logits[:, CLASSES] / 4, (teacher[:, CLASSES] / 4).softmax(1), reduction="sum")
    torch.testing.assert_close(soft, 16 * expected)
    sizes = []
    for temperature in (50.0, 100.0):
        free = logits.clone().requires_grad_()
        teacher_loss(free, teacher, [(CLASSES, 1.0)], temperature=temperature).backward()
        assert free.grad is not None
        sizes.append(float(free.grad.norm()))
    assert abs(sizes[0] / sizes[1] - 1) < 0.05  # their section 2.1


def test_mixed_and_distilled_losses_lie_between_the_two_that_they_are_made_of() -> None:
    first, second = torch.tensor(2.0), torch.tensor(6.0)
    assert [float(mixed_loss(first, second, lam)) for lam in (1.0, 0.75, 0.0)] == [2.0, 3.0, 6.0]
    assert [float(distilled_loss(first, second, weight)) for weight in (0.0, 0.25, 1.0)] == [2.0, 3.0, 6.0]


def test_mixing_targets_is_mixing_losses() -> None:
    logits, lam = random_logits()[:, CLASSES], 0.3
    partners = TARGETS.roll(1)
    soft = lam * F.one_hot(TARGETS, 4) + (1 - lam) * F.one_hot(partners, 4)
    expected = nn.CrossEntropyLoss(reduction="sum")(logits, soft)
    torch.testing.assert_close(mixed_loss(class_loss(logits, TARGETS), class_loss(logits, partners), lam), expected)
