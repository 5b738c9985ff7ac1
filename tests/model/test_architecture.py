"""The layer table against the paper, by hand."""

import pytest

from model.architecture import Architecture, output_side

# name: output shape, parameters, receptive field, jump (section 3.5 and the receptive fields that follow from it)
TABLE = {
    "conv1": ((96, 55, 55), 34_944, 11, 4),
    "pool1": ((96, 27, 27), 0, 19, 8),
    "conv2": ((256, 27, 27), 307_456, 51, 8),
    "pool2": ((256, 13, 13), 0, 67, 16),
    "conv3": ((384, 13, 13), 885_120, 99, 16),
    "conv4": ((384, 13, 13), 663_936, 131, 16),
    "conv5": ((256, 13, 13), 442_624, 163, 16),
    "pool5": ((256, 6, 6), 0, 195, 32),
    "fc6": ((4096,), 37_752_832, 227, 227),
    "fc7": ((4096,), 16_781_312, 227, 227),
    "fc8": ((1000,), 4_097_000, 227, 227),
}


@pytest.mark.parametrize("name", TABLE)
def test_every_row_is_the_papers(name: str) -> None:
    row = Architecture().layer(name)
    assert (row.shape, row.parameters, row.receptive_field, row.jump) == TABLE[name]


def test_the_whole_network_has_the_papers_size() -> None:
    assert Architecture().parameters == 60_965_224
    assert Architecture().multiply_adds == 724_406_816
    assert Architecture(columns=1).parameters == 62_378_344


def test_conv5_cells_are_centred_at_17_plus_16_i() -> None:
    conv5 = Architecture().layer("conv5")
    assert (conv5.start + conv5.receptive_field // 2, conv5.jump) == (17, 16)


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "padding", "cells"),
    [
        (3, 2, 1, 0, 2),
        (227, 11, 4, 0, 55),
        (55, 3, 2, 0, 27),
        (27, 5, 1, 2, 27),
        (13, 3, 1, 1, 13),
        (5, 3, 1, 2, 7),
    ],
)
def test_output_sides_follow_the_talks_formula(side: int, kernel: int, stride: int, padding: int, cells: int) -> None:
    by_hand = len(range(-padding, side + padding - kernel + 1, stride))
    assert output_side(side, kernel, stride, padding) == cells == by_hand


def test_the_program_norms_before_it_activates() -> None:
    rows = Architecture(lrn_before_activation=True)
    assert rows.layer("conv1").activation is None
    assert rows.layer("pool1").activation == "relu"
    assert rows.layer("conv3").activation == "relu"


@pytest.mark.parametrize("without", ["", "conv3", "conv4", "conv5"])
def test_the_activations_that_are_shown_are_those_the_network_has(without: str) -> None:
    architecture = Architecture(without=without)
    every = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6", "fc7")
    assert architecture.activation_names == tuple(name for name in every if name != without)
    assert architecture.last_convolution == ("conv4" if without == "conv5" else "conv5")
    assert architecture.layer("pool5").inputs == architecture.layer(architecture.last_convolution).shape


def test_a_table_without_normalisation_has_no_row_for_it() -> None:
    names = [row.name for row in Architecture().layers]
    assert names == [
        "conv1",
        "norm1",
        "pool1",
        "conv2",
        "norm2",
        "pool2",
        "conv3",
        "conv4",
        "conv5",
        "pool5",
        "fc6",
        "fc7",
        "fc8",
    ]
    assert [row.name for row in Architecture(lrn=None).layers] == [name for name in names if "norm" not in name]


def test_pictures_too_small_for_the_network_are_refused() -> None:
    assert Architecture(input_size=67).layer("pool5").shape == (256, 1, 1)
    with pytest.raises(ValueError, match="too small"):
        Architecture(input_size=50)
