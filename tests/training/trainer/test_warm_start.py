"""Starting from another network: it says the same before it learns more."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.engines.alexnet import AlexNet
from model.engines.torch_engine import build, standardise
from model.language.phrases import label_for
from model.teaching.attach import teach
from model.teaching.embedding import embedding_of
from model.teaching.examples import Examples, Photos
from model.vocabulary import Vocabulary
from tests.model.teaching.drawn import shas
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


def test_taught_names_are_starts_for_a_set_of_the_same_classes_whatever_it_is_called() -> None:
    base = tiny_network(67)
    random = np.random.default_rng(0)
    embedding = embedding_of(base)
    things = {
        name: Photos(shas(name, 4), random.standard_normal((4, embedding.size)).astype(np.float16))
        for name in ("red mug", "cat")
    }
    outside = random.standard_normal((20, embedding.size)).astype(np.float32)
    source = teach(base, embedding, Examples(embedding.network, embedding.size, things), outside)
    mugs = Vocabulary(
        name="mugs", activation="softmax", labels=tuple(label_for("mugs", name) for name in ("cat", "dog", "red mug"))
    )
    words = Vocabulary(name="word", activation="sigmoid", labels=(label_for("word", "cat"),))
    network = AlexNet(replace(base.architecture, outputs=4))
    torch.nn.init.constant_(network.get_parameter("fc8.weight"), 7.0)
    start_from(network, source, (mugs, words), torch.zeros(0))
    rows = network.get_parameter("fc8.weight").detach().numpy()
    taught = source.vocabularies[-1]
    theirs = source.weights["fc8.weight"][source.slices()["taught"]] / taught.temperature
    np.testing.assert_allclose(rows[[2, 0]], theirs, rtol=1e-5)
    assert (rows[[1, 3]] == 7).all()  # a name is no word


def test_another_layer_table_is_refused() -> None:
    source = tiny_network(67)
    other = AlexNet(replace(source.architecture, columns=1))
    with pytest.raises(ValueError, match="another layer table"):
        start_from(other, source, source.vocabularies, torch.zeros(0))
