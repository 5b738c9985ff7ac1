"""Starting from another network: it says the same before it learns more."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.engines.alexnet import AlexNet
from model.engines.torch_engine import build, standardise
from model.vocabulary import Vocabulary
from tests.tiny import tiny_network
from training.trainer.warm_start import start_from


def test_a_folded_network_gets_its_batch_norm_back_and_says_the_same() -> None:
    source = tiny_network(67)
    network = AlexNet(replace(source.architecture, batch_norm=True, dropout=0.0)).initialise("fan_in")
    pixels = torch.randint(0, 256, (16, 3, 67, 67), generator=torch.Generator().manual_seed(0))
    x = standardise(pixels, source.preprocessing)
    start_from(network, source, source.vocabularies, x)
    with torch.no_grad():
        expected = build(source)(x)
        torch.testing.assert_close(network.eval()(x), expected, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(
            network.train()(x), expected, rtol=1e-2, atol=1e-2
        )  # with the batch's own statistics
    lengths = network.get_parameter("conv3.weight").flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full_like(lengths, 2**0.5))


def test_labels_that_the_source_lacks_keep_their_first_rows() -> None:
    source = tiny_network(67)
    words = source.vocabularies[2]
    fewer = Vocabulary(
        name="word", activation="sigmoid", labels=words.labels[:0:-1]
    )  # one less, and the other way round
    new = replace(words.labels[0], id="kite")
    vocabularies = (Vocabulary(name="word", activation="sigmoid", labels=(*fewer.labels, new)),)
    network = AlexNet(replace(source.architecture, outputs=len(words)))
    torch.nn.init.constant_(network.get_parameter("fc8.weight"), 7.0)
    start_from(network, source, vocabularies, torch.zeros(0))
    rows = network.get_parameter("fc8.weight").detach().numpy()
    theirs = source.weights["fc8.weight"][source.slices()["word"]]
    np.testing.assert_array_equal(rows[:-1], theirs[:0:-1])
    assert (rows[-1] == 7).all()


def test_another_layer_table_is_refused() -> None:
    source = tiny_network(67)
    other = AlexNet(replace(source.architecture, columns=1))
    with pytest.raises(ValueError, match="another layer table"):
        start_from(other, source, source.vocabularies, torch.zeros(0))
