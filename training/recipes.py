"""The recipes, each a function whose docstring says what to expect of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from training.config import Recipe, Stage


def paper() -> Recipe:
    """The text of the paper, section by section; ``python -m training conformance`` lists it.

    ILSVRC-2010 has 1.2 million pictures: there it took five to six days on two GTX 580 and reached 39.0/18.3 % error
    on the centre crop, 37.5/17.0 % with ten views. Not run to its end by us.
    ``python -m training train --recipe paper --data imagenet/ --out runs/paper``
    """
    return Recipe(
        name="paper",
        lrn="text",
        batch_norm=False,
        dropout=0.5,
        dropout_at_test=True,
        initialisation="paper",
        epochs=90.0,
        batch_size=128,
        optimiser="paper",
        lr=0.01,
        momentum=0.9,
        weight_decay=5e-4,
        decay_biases=True,
        schedule="plateau",
        warmup=0.0,
        centred=True,
        crop="translated",
        traces=0.0,
        colour_noise=0.1,
    )


def source_2012() -> Recipe:
    """The program that won ILSVRC-2012, as published in 2025, where it differs from the text. Not run to its end by us.

    ``python -m training train --recipe source_2012 --data imagenet/ --out runs/source_2012``
    """
    return Recipe(
        name="source_2012",
        lrn="cuda_convnet",
        batch_norm=False,
        dropout=0.5,
        dropout_at_test=True,
        initialisation="source_2012",
        epochs=91.0,
        batch_size=128,
        optimiser="paper",
        lr=0.01,
        bias_lr=2.0,
        momentum=0.9,
        weight_decay=5e-4,
        schedule="cuda_convnet",
        warmup=0.0,
        centred=True,
        crop="translated",
        crop_group=32,
        traces=0.0,
        colour_noise=0.1,
        colour_noise_until=67 / 91,
    )


def modern() -> Recipe:
    """An AlexNet on two CPU cores: Muon and AdamW, batch norm, growing pictures, teachers beside the labels.

    The shipped network is a chain of it, each run from the network before (docs/experiments.md has all, and those that
    failed): without a teacher from three sets of 196,000 pictures (11, 14), 77 minutes of two bf16 cores to object
    47.0 %, scene 43.8 %, word 26.0 %; from five sets of 255,000 originals with two teachers (32), 41 minutes of two
    AMX cores to 48.9 % (of 200; 84 more things are known since), 45.7 %, 27.7 %; then with one teacher (45), 1.8 hours
    of two float32 cores and the mean of both networks, to 50.1 %, 45.8 %, 27.6 %. From noise with a teacher: not run by
    us to its end. The large decay of conv1 makes its kernels look learned. Without a teacher ``train`` leaves
    ``labels_within_set`` off. The last link, of which each command but ``ship`` goes on with ``--resume``:

    ``python -m training teacher --backbone efficientnet-lite0 DATA --out runs/teacher --set epochs=0.81``
    ``python -m training train --recipe modern DATA --out runs/next --from SHIPPED --teacher
    runs/teacher/teacher.safetensors --set muon_lr=0.003 --lr 1e-4 --set word_weight=0.4 --set stages=227:1
    --epochs 0.574``
    ``python -m training ship runs/next DATA --foreign …/unnamed --people …/people --average --keep word``
    DATA is ``--data`` with each of ``object=…/objects scene=…/scenes word=…/captions object=…/things64
    object=…/sharp64b`` (docs/data.md). From noise: without ``--from``, and with the recipe's own rates.
    """
    return Recipe(
        name="modern",
        optimiser="muon",
        lr=8e-4,
        muon_lr=0.02,
        weight_decay=0.3,
        conv1_decay=3.0,
        epochs=5.96,
        schedule="linear",
        warmup=0.03,
        input_detail=128,
        dropout=0.1,
        labels_within_set=True,
        absence_weight=0.5,
        distillation_weight=0.75,
        distillation_temperature=2.0,
        distillation_elsewhere=0.25,
        stages=(Stage(size=131, share=0.78), Stage(size=227, share=0.22)),
    )


def gpu() -> Recipe:
    """The same network on one GPU of an H200's class, in ten minutes or less by our estimate.

    3.7 million crops of five sets' 255,000 pictures, which lie on the device: at 6,300 a second, a guess, for we had no
    GPU to run it on. So what it reaches is not known either.
    ``python -m training train --recipe gpu --data … --out runs/gpu --teacher runs/teacher/teacher.safetensors``
    """
    return replace(
        modern(),
        name="gpu",
        batch_size=512,
        epochs=12.0,
        label_smoothing=0.05,
        ema=0.999,
        stages=(Stage(size=131, share=0.7), Stage(size=227, share=0.3)),
    )


def teacher() -> Recipe:
    """Fine-tunes a public backbone into a teacher: ``python -m training teacher``; not for an AlexNet.

    One pass over the largest of five sets, 1,612 steps of 192 at 96 px; 130 pictures a second on two CPU cores that
    multiply bf16 and do nothing else (docs/experiments.md, 18, has what 1,300 steps gave).
    ``python -m training teacher --backbone efficientnet-lite0 --data … --out runs/teacher``
    """
    return Recipe(
        name="teacher",
        optimiser="sgd",  # not read: AdamW, with a faster last layer
        lr=8e-4,
        weight_decay=0.02,
        epochs=1.0,
        batch_size=192,
        schedule="linear",
        warmup=0.08,
        label_smoothing=0.1,
        labels_within_set=True,
        min_area=0.35,
        aspect=1.15,
        stages=(Stage(size=96, share=1.0),),
    )


def smoke() -> Recipe:
    """Seconds, for tests: one small size, no claim to learn anything."""
    return Recipe(name="smoke", epochs=1.0, batch_size=8, lr=0.01, stages=(Stage(size=67, share=1.0),), precision="f32")


RECIPES: dict[str, Callable[[], Recipe]] = {
    recipe.__name__: recipe for recipe in (modern, gpu, paper, source_2012, smoke)
}
