# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From one convolution to an AlexNet that sees
#
# In 2012 a network with eight layers of weights learned to name what is in a photo. Here you build it, from a sum that
# you can do in your head to a network that you train yourself.
#
# Each part asks you to **predict** something, and keeps the answer folded. Guess first, then open it: a guess that
# fails teaches the most. Each part ends with an **exercise**: put your answer where the three dots are, and a check says
# what is missing. Every claim here is checked against the code that trains Glassbot and answers for it.
#
# Interactive version: [Learn](http://127.0.0.1:8000/learn), on a Glassbot that runs (`make serve` starts one).

# %%
import os
import sys
import tempfile
from pathlib import Path

HERE = Path.cwd()
ROOT = next(up for up in (HERE, *HERE.parents) if (up / "notebooks/build.py").exists())
sys.path.insert(0, str(ROOT))
PICTURES = os.environ.get("NOTEBOOK_PICTURES", "")  # yours, to train on in part 13
SHORT = bool(os.environ.get("NOTEBOOK_SHORT"))  # a few steps, to see that it runs

# %%
import numpy as np
from PIL import Image

from notebooks import drawing
from notebooks.checks import check
from notebooks.workbench import case, correlate, correlate2d, pool

drawing.use_style()

# %% [markdown]
# ## 1. Seeing
#
# CaptionBot looked at a film scene and said: “I think it’s a close up of a man on fire.” Glassbot says sentences of
# this kind, too. But what does a network get to see of a photo?
#
# **Predict.** A photo goes in, a sentence comes out. What is it in between: shapes, a list of things, or numbers?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#seeing)

# %% tags=["reveal"]
from model.checkpoint import PRETRAINED, load
from model.preprocess import prepare

glassbot = load(PRETRAINED)
photo = Image.open(ROOT / "static/samples/coffee.webp")
seen, crop, _ = prepare(photo, glassbot.architecture)
print(seen.shape, seen.dtype, "– the top left corner, in red:")
print(seen[:3, :8, 0])
drawing.pictures([photo, seen], ["the photo", "what the network sees"], side=2.6)
assert seen.shape == (227, 227, 3) and seen.dtype == np.uint8

# %% [markdown]
# Numbers: one from 0 to 255 for each pixel and colour, of the square in the middle. Now let the network that Glassbot
# ships look at them.
#
# **Predict.** What will it say?

# %% tags=["reveal"]
from model.describe import describe
from model.engines import create_engine

engine = create_engine(glassbot, engine="openvino", precision="f32")
said = describe(engine.run(seen[None]).logits[0], glassbot)
print(said.caption.text)
names = [one.label.name for one in said.labels]
shares = [100 * one.score for one in said.labels]
drawing.bars("things and places", names, shares, form="{:.0f} %")
assert all(0 <= one.score <= 1 for one in said.labels)

# %% [markdown]
# **Exercise.** How many numbers enter the network for one photo?

# %%
answer = ...
check("seeing", answer)

# %% [markdown]
# ## 2. One list along another
#
# All of it rests on one sum. Take an input $x$ of three numbers and a filter $w$ of two. Lay the filter over the start
# of the input, multiply each weight by the number under it, and add. One step to the right gives the next sum:
#
# $$z_1 = w_1 x_1 + w_2 x_2 \qquad z_2 = w_1 x_2 + w_2 x_3$$
#
# **Predict.** With $x = (1, 3, 2)$ and $w = (2, -1)$: what are $z_1$ and $z_2$?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#convolution)

# %% tags=["reveal"]
talk, expected = case("correlate1d", "the talk's example")
x, w = talk["x"], talk["w"]
z = [w[0] * x[0] + w[1] * x[1], w[0] * x[1] + w[1] * x[2]]
drawing.slide(x, w)
assert z == expected == [-1, 4]

# %% [markdown]
# The two weights are used at every stop, so a filter needs two numbers however long the input is. The last line compared
# our sums with the example that the page shows. This one compares them with AlexNet’s own convolution.

# %%
assert correlate(x, w) == z

# %% [markdown]
# **Predict.** A longer input rises, stays and falls again. The filter is $(-1, 0, 1)$. Where will its sums be large, and
# where 0?

# %% tags=["reveal"]
edge, expected = case("correlate1d", "an edge, padding 1, stride 1")
climbs = correlate(edge["x"], edge["w"], padding=1)
drawing.numbers(x=edge["x"], z=climbs)
assert climbs == expected

# %% [markdown]
# It is positive where the input rises, negative where it falls, and 0 where it is level. **A filter is a
# question, and z says how well each place fits it.**
#
# **Exercise.** Find two weights that turn $(1, 3, 2)$ into $(2, -1)$. Write them as a list, `[…, …]`.

# %%
answer = ...
check("convolution", answer)

# %% [markdown]
# ## 3. Zero padding
#
# The filter cannot hang over the end, so $z$ is shorter than $x$. **Zero padding** lays zeros at both ends first.
#
# **Predict.** Three numbers, one zero at each end, a filter of two: how many $z$ come out?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#padding)

# %% tags=["reveal"]
_, expected = case("correlate1d", "padded by one")
drawing.slide(x, w, padding=1)
assert correlate(x, w, padding=1) == expected
assert len(expected) == 4

# %% [markdown]
# Let $M_x$ be the length of the input, $M_F$ that of the filter, and $p$ the zeros at each end:
#
# $$M_z = M_x + 2p - M_F + 1$$
#
# The layer table of the network, which sets the size of every map, counts them so:

# %%
from model.architecture import output_side

assert output_side(3, kernel=2, stride=1, padding=0) == 2
assert output_side(3, kernel=2, stride=1, padding=1) == 4

# %% [markdown]
# **Exercise.** conv2 has kernels of 5 × 5, and its maps keep the 27 × 27 of its input. What is its padding?

# %%
answer = ...
check("padding", answer)

# %% [markdown]
# ## 4. Stride
#
# The **stride** $s$ is how far the filter moves from one stop to the next.
#
# $$M_z = \left\lfloor \frac{M_x + 2p - M_F}{s} \right\rfloor + 1$$
#
# **Predict.** Seven numbers, padding 1, a filter of three, stride 2: how many stops?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#stride)

# %% tags=["reveal"]
strided, expected = case("correlate1d", "an edge, padding 1, stride 2")
drawing.slide(**strided)
assert correlate(**strided) == expected
assert expected == climbs[::2]

# %% [markdown]
# The last line says what a stride is: **the answers of stride 1, with every second one left out**. conv1 of AlexNet has
# kernels of 11 and a stride of 4.
#
# **Predict.** The paper says that pictures have 224 pixels, and draws maps of 55 × 55. Does that fit?

# %% tags=["reveal"]
stops = {side: output_side(side, kernel=11, stride=4) for side in (224, 227)}
for side, count in stops.items():
    print(side, "pixels make", count, "stops")
assert stops[224] == case("outputSize", "conv1 on the 224 of the text")[1] == 54
assert stops[227] == case("outputSize", "conv1")[1] == 55

# %% [markdown]
# It does not. A famous slip: 55 needs 227 pixels, or 224 with three zeros added on one side.
#
# **Exercise.** Name a side of the picture for which conv1 makes 27 stops.

# %%
answer = ...
check("stride", answer)

# %% [markdown]
# ## 5. Correlation against convolution: the flip
#
# What you did so far is called **correlation**: how similar is the input to the filter? For a **convolution** the filter
# is turned round first, $\bar w = (w_2, w_1)$. With $M_F$ weights:
#
# $$z_{i'} = \sum_{i=1}^{M_F} w_i\, x_{i'+i-1} \qquad \text{(correlation)}$$
#
# $$z_{i'} = \sum_{i=1}^{M_F} x_{i'+i-1}\, \bar{w}_{M_F-i+1} \qquad \text{(convolution with } \bar w \text{)}$$
#
# **Predict.** `np.convolve` is a true convolution. What does it make of $x = (1, 3, 2)$ and $w = (2, -1)$?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#flip)

# %% tags=["reveal"]
turned = np.convolve(x, w, "valid").tolist()
drawing.slide(x, w[::-1])
assert turned == case("convolve1d", "the talk's example")[1] == [5, 1]
assert correlate(x, w[::-1]) == turned

# %% [markdown]
# So convolving with $w$ is correlating with $\bar w$. The two formulas above are one number, read from both ends:

# %%
assert np.convolve(x, w[::-1], "valid").tolist() == correlate(x, w)

# %% [markdown]
# A network learns its weights: whoever flips would simply learn them the other way round. That is why everybody says
# convolution, and computes correlation. Glassbot does so, too.
#
# **Exercise.** Correlating with $(-1, 0, 1)$ found where the input rises. With which three weights does `np.convolve`
# give the same?

# %%
answer = ...
check("flip", answer)

# %% [markdown]
# ## 6. Convolution → pooling → classification
#
# On a picture the filter is a small square, a **kernel**. It stops at every place, row by row: multiply, add, write down.
#
# **Predict.** This kernel subtracts left from right. Where will its sums be far from zero?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#kernel)

# %% tags=["reveal"]
square, expected = case("correlate2d", "padding 1 keeps the size")
vertical = np.array(square["w"])
sums = correlate2d(square["x"], vertical, padding=1)
drawing.numbers(picture=square["x"], kernel=vertical, sums=sums)
assert sums.tolist() == expected
assert sums[1, 1] == (vertical * np.array(square["x"])[0:3, 0:3]).sum() == 36

# %% [markdown]
# At vertical edges: where the brightness is even, left and right cancel. The dark column at the right edge comes from the
# zero padding, which looks like a sudden step to black. Now a photo, and the same kernel turned by 90°.

# %%
photo = Image.open(ROOT / "static/learn/camera.webp").convert("L")
photo = np.asarray(photo.resize((128, 128)), float)
horizontal = vertical.T
edges = [correlate2d(photo, kernel) for kernel in (vertical, horizontal)]
drawing.pictures([photo], ["the photo"], side=2.4, cmap="gray")
titles = ["vertical edges", "horizontal edges"]
drawing.pictures(edges, titles, side=2.4, vmin=-500, vmax=500)

# %% [markdown]
# A photo has three planes: red, green and blue. A kernel has as many planes as what it reads.
#
# **Predict.** Three planes of 2 × 2, each under its own weights. How many sums are written down at one stop?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#depth)

# %% tags=["reveal"]
from notebooks.workbench import correlate_planes

planes, expected = case("correlateVolume", "three colours become one number")
red, green, blue = (np.array(planes["x"]) * np.array(planes["w"])).sum((1, 2)).tolist()
together = red + green + blue + planes["bias"]
print(f"red {red}, green {green}, blue {blue}, bias {planes['bias']}: {together}")
assert correlate_planes(**planes).tolist() == expected == [[together]]

# %% [markdown]
# One. And a map that comes out is a plane for the next layer. That is the whole trick; now stack it. Here is a convnet
# with 18 weights, none of them learned. It looks at white strokes and says how they run:
#
# convolution with both kernels → what is below zero becomes 0 → **pooling**, the strongest answer anywhere →
# **classification**, the kernel with the stronger answer.
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#overview)

# %%
from notebooks.workbench import activate


def how_it_runs(picture):
    sums = [correlate2d(picture, kernel) for kernel in (vertical, horizontal)]
    maps = [activate(one, "relu") for one in sums]
    strongest = [pool(one, size=len(one), stride=1).item() for one in maps]
    return ("vertical", "horizontal")[int(np.argmax(strongest))]


# %% [markdown]
# **Predict.** Forty strokes, anywhere in a picture full of noise. How many does it get right?

# %% tags=["reveal"]
chance = np.random.default_rng(0)
strokes = chance.random((40, 12, 12)) * 0.4
for number, stroke in enumerate(strokes):
    stroke[:, chance.integers(2, 10)] += 1
    strokes[number] = stroke.T if number % 2 else stroke
said = [how_it_runs(stroke) for stroke in strokes]
ways = ("vertical", "horizontal")
right = [word == ways[number % 2] for number, word in enumerate(said)]
drawing.pictures(strokes[:8], said[:8], columns=8, side=0.9, cmap="gray")
print(sum(right), "of 40")
assert sum(right) >= 36

# %% [markdown]
# Convolution asks everywhere, pooling forgets where, classification compares. AlexNet is this, five layers deep, with
# kernels that nobody wrote.
#
# **Exercise.** Write a kernel of 3 × 3 numbers for strokes that fall from the upper left to the lower right. It has to
# answer them more strongly than any other stroke. Write it as a list of three lists.

# %%
answer = ...
check("kernel", answer)

# %% [markdown]
# ## 7. Activation functions
#
# Each sum passes through an **activation function**; without one, ten layers could do no more than one. The traditional
# ones flatten out at both ends:
#
# $$\tanh(x) = 2 \cdot \frac{1}{1 + e^{-2x}} - 1 \qquad \sigma(x) = \frac{1}{1 + e^{-x}}$$
#
# AlexNet takes the **Rectified Linear Unit**, $f(x) = \max(0, x)$. Learning uses its
# slope.
#
# **Predict.** Far from zero, say at 8: which of the three still has a slope?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#relu)

# %% tags=["reveal"]
from notebooks.workbench import slope

along = np.linspace(-8, 8, 161)
names = ("relu", "tanh", "sigmoid")
curves = {name: (along, activate(along, name)) for name in names}
slopes = {name: (along, slope(along, name)) for name in names}
drawing.curves("the functions (ReLU goes on to 8)", "x", top=2.5, **curves)
drawing.curves("their slopes", "x", **slopes)
print("at 8:", {name: float(f"{slope([8.0], name)[0]:.2g}") for name in names})

# %% [markdown]
# Only ReLU. The formulas of the slide are those of the network, at all points of the page’s table:

# %%
points, expected = case("tanh", "on both sides of zero")
by_hand = 2 / (1 + np.exp(-2 * np.array(points["x"]))) - 1
np.testing.assert_allclose(activate(points["x"], "tanh"), by_hand)
np.testing.assert_allclose(by_hand, expected, rtol=1e-9)
np.testing.assert_allclose(activate(points["x"], "relu"), np.maximum(0, points["x"]))

# %% [markdown]
# Learning sends a message back through all layers, and each multiplies it by its slope. Through five layers of tanh at
# $x = 2$ a 560,000th is left; through five of ReLU all of it. That is the paper’s reason why ReLU is quick to train.
# You will put it to a test in part 15.

# %%
for name, title in (("tanh", "tanh at 2, five layers"), ("relu", "ReLU, five layers")):
    given, left = case("throughLayers", title)
    print(f"{title}: {left:.2g}")
    assert np.isclose(slope([2.0], name)[0] ** given["layers"], left)

# %% [markdown]
# **Exercise.** Five layers of the sigmoid, each where it is steepest. How much of the message is left? (Two digits do.)

# %%
answer = ...
check("activation", answer)

# %% [markdown]
# ## 8. Local response normalisation
#
# ReLUs need no normalisation to keep from saturating. Still the paper found that this helps: divide each answer $a^i$ by
# what the neighbouring kernels answer at the same place $(x, y)$.
#
# $$b^i_{x,y} = a^i_{x,y} \Big/ \left( k + \alpha \sum\limits_{j=\max(0,\, i-n/2)}^{\min(N-1,\, i+n/2)} (a^j_{x,y})^2 \right)^\beta$$
#
# The paper’s constants are $k = 2$, $n = 5$, $\alpha = 10^{-4}$ and $\beta = 0.75$.
#
# **Predict.** One of eight kernels answers 100, the others 3 or 0. Which answers does it reduce most?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#lrn)

# %% tags=["reveal"]
strong, expected = case("localResponseNorm", "one strong answer, the paper's constants")
a = np.array(strong["a"], float)
b = [a[i] / (2 + 1e-4 * sum(a[max(0, i - 2) : i + 3] ** 2)) ** 0.75 for i in range(8)]
drawing.numbers(a=a, b=np.round(b, 2))
np.testing.assert_allclose(b, expected, rtol=1e-9)

# %% [markdown]
# Its own most of all, then those of two kernels on either side; the last 3 is only divided by $k^\beta$. Now ask the code
# that trains the network. (Many libraries divide $\alpha$ by $n$. The paper does not, and neither does this one.)

# %%
from notebooks.workbench import normalise

np.testing.assert_allclose(normalise(**strong), b)

# %% [markdown]
# In the paper it lowered the error by 1.4 points (top-1) and 1.2 (top-5). Others have measured no gain, and today it is
# hardly used.
#
# **Exercise.** All kernels answer 1. What is left of an answer in the middle of the list after normalisation? (Three digits do.)

# %%
answer = ...
check("lrn", answer)

# %% [markdown]
# ## 9. Overlapping pooling
#
# A pooling layer keeps the largest number in each window of size $z$, and moves on by $s$. Where $s < z$ the windows
# **overlap**.
#
# **Predict.** Windows of 3 × 3 at stride 2. The map has one 9. In how many windows is it the largest?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#pooling)

# %% tags=["reveal"]
overlap, expected = case("maxPool", "overlapping: windows of 3, stride 2")
apart, expected_apart = case("maxPool", "not overlapping: windows of 2, stride 2")
kept, kept_apart = pool(**overlap), pool(**apart)
drawing.numbers(map=overlap["x"], overlapping=kept, apart=kept_apart)
assert kept.tolist() == expected
assert kept_apart.tolist() == expected_apart
assert [(one == 9).sum() for one in (kept, kept_apart)] == [4, 1]

# %% [markdown]
# By hand, one window of each:

# %%
numbers = np.array(overlap["x"])
assert kept[0, 0] == numbers[0:3, 0:3].max() == 9
assert kept_apart[0, 0] == numbers[0:2, 0:2].max() == 4

# %% [markdown]
# The map shrinks equally in both cases: 55 becomes 27. The paper found 0.4 points less error (top-1) and 0.3 (top-5) with
# overlap.
#
# **Exercise.** How many of the 49 numbers lie in more than one window of 3 × 3 at stride 2?

# %%
answer = ...
check("pooling", answer)

# %% [markdown]
# ## 10. Dropout
#
# While it learns, each hidden unit of the first two fully connected layers is set to 0 with probability 0.5. None can
# rely on another, so each must learn something useful by itself. When the network is used, all units are active.
#
# **Predict.** Half were off, now all are active. What must be done to each answer, so that the next layer gets sums of
# the size that it is used to?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#dropout)

# %% tags=["reveal"]
from notebooks.workbench import drop

halves, expected = case("dropoutTest", "the paper's half")
units = halves["a"]
stays = [drop([1.0] * 20, 0.5, training=True, seed=step) for step in range(5)]
drawing.half_there(np.array(stays))
used = drop(units, 0.5, training=False).tolist()
print("answers", units, "– when the network is used", used)
assert used == expected == (0.5 * np.array(units)).tolist()

# %% [markdown]
# Halve it. Then the sum in the next layer is what it was on average. See whether that is true:
#
# **Predict.** A thousand draws of the sum with weights $(1, -2, 0.5, 3, 1, -1)$. What is their mean?

# %% tags=["reveal"]
heard, expected = case("weightedSum", "at test time, each at half")
sums = [drop(units, 0.5, training=True, seed=seed) @ heard["w"] for seed in range(1000)]
mean = np.mean(sums)
drawing.draws(f"mean of 1,000 draws {mean:.2f}, at test time {expected}", sums, mean)
assert np.dot(heard["a"], heard["w"]) == expected == 1.5
assert abs(mean - expected) < 0.3

# %% [markdown]
# In the paper it took twice as many steps to learn, and without it the network learned its pictures by heart.
#
# **Exercise.** Each draw is another, thinner net. How many different nets can six units make?

# %%
answer = ...
check("dropout", answer)

# %% [markdown]
# ## 11. Stochastic gradient descent
#
# Learning is going downhill on the loss $L$. For each batch $D_i$ of 128 pictures:
#
# $$v_{i+1} := 0.9\, v_i - 0.0005\, \epsilon\, w_i - \epsilon \left\langle \frac{\partial L}{\partial w}\Big|_{w_i} \right\rangle_{D_i} \qquad w_{i+1} := w_i + v_{i+1}$$
#
# 0.9 is the **momentum**, 0.0005 the **weight decay**, $\epsilon$ the **learning rate**: 0.01, divided by 10 when the
# validation error stops falling.
#
# **Predict.** A weight of 1 at rest, a slope of 2, $\epsilon = 0.01$. Where is it after one step?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#sgd)

# %% tags=["reveal"]
start, expected = case("sgdStep", "the talk's rule, from rest")
[weight], [v], [g], rate = start["w"], start["v"], start["gradient"], start["rate"]
v = 0.9 * v - 0.0005 * rate * weight - rate * g
weight = weight + v
print("v =", round(v, 6), " w =", round(weight, 6))
np.testing.assert_allclose([v, weight], [expected["v"][0], expected["w"][0]])

# %% [markdown]
# Now a loss with two weights, a long and narrow valley. The steps are taken by `PaperSGD`, the trainer’s optimiser.
#
# **Predict.** Sixty steps at the paper’s rate. Which ends nearer to the star: with momentum or without?

# %% tags=["reveal"]
from notebooks.workbench import descend

bowl, expected = case("descend", "the paper's numbers")
np.testing.assert_allclose(descend(**bowl), expected, rtol=1e-9)
bowl["steps"] = 60
ways = {f"momentum {m}": descend(**{**bowl, "momentum": m}) for m in (0.0, 0.9)}
drawing.valley(ways, bowl["curvature"], bowl["centre"])
plain, moving = (np.linalg.norm(way[-1] - bowl["centre"]) for way in ways.values())
assert moving < plain

# %% [markdown]
# Along the valley the steps add up; across it they cancel, after some swinging.
#
# **Exercise.** The slope $g$ stays the same for a long time, without decay. To how many times a plain step
# $\epsilon g$ does $v$ grow?

# %%
answer = ...
check("sgd", answer)

# %% [markdown]
# ## 12. The network of section 3.5
#
# Now you can read all of it. One table makes Glassbot’s network, its page and this list.
#
# **Predict.** Five convolutions and three fully connected layers. Where do most of the weights lie? And most of the work?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#layers)

# %% tags=["reveal"]
from model.architecture import Architecture

paper = Architecture()
for row in paper.layers:
    steps = row.operation in ("conv", "pool")
    window = f"{row.kernel} × {row.kernel}, stride {row.stride}" if steps else ""
    shape = " × ".join(map(str, row.shape))
    print(f"{row.name:6} {window:18} {shape:14} {row.parameters:>10,} parameters")
print(f"{'together':40} {paper.parameters:>10,} parameters")
assert paper.parameters == 60_965_224

# %% tags=["reveal"]
rows = [row for row in paper.layers if row.parameters]
names = [row.name for row in rows]
weights = np.array([row.parameters for row in rows]) / 1e6
work = np.array([row.multiply_adds for row in rows]) / 1e6
drawing.bars("parameters, in millions", names, weights, form="{:.2f}")
drawing.bars("multiply-adds, in millions", names, work)
assert weights[5:].sum() > 0.95 * weights.sum()
assert work[:5].sum() > 0.9 * work.sum()

# %% [markdown]
# The weights are at the end, the work is at the beginning: a convolution uses each weight at every stop. The table does
# not stand alone. The module that is trained has as many weights, and the page’s cases say the same of every layer:

# %%
import torch

from model.engines.alexnet import AlexNet

with torch.device("meta"):
    assert sum(weights.numel() for weights in AlexNet(paper).parameters()) == 60_965_224
_, expected = case("layers", "the paper's network: 60,965,224 parameters")
for row, one in zip(paper.layers, expected, strict=True):
    assert (list(row.shape), row.parameters) == (one["shape"], one["parameters"])

# %% [markdown]
# A cell of a deep layer looks at cells that look at cells. So it sees more of the photo than its own kernel is wide.
#
# **Predict.** conv5 has kernels of 3 × 3. How much of the photo does one of its cells see?
#
# Interactive version: [this step of Learn](http://127.0.0.1:8000/learn#field), and then
# [all of it, connected](http://127.0.0.1:8000/learn#connected)

# %% tags=["reveal"]
rows = [paper.layer(name) for name in ("conv1", "conv2", "conv3", "conv5")]
for row in rows:
    print(f"a cell of {row.name} sees a square of {row.receptive_field} pixels")
drawing.seen_by(seen, [(row, row.shape[1] // 2) for row in rows])
assert paper.layer("conv5").receptive_field == 163

# %% [markdown]
# **Exercise.** On two graphics cards the network stood in two columns, so a kernel of conv2 reads 48 of the 96 maps. How
# many parameters would conv2 have if each read all of them?

# %%
answer = ...
check("layers", answer)

# %% [markdown]
# ## 13. Training it
#
# Ten photographs. From the left of each we cut windows to learn from, from the right others to test with; the network
# never sees the test’s part of a photo. It has to say **which photo a window was cut from**.
#
# To train on pictures of yours, start Jupyter with `NOTEBOOK_PICTURES=path`: a folder with one folder of pictures for
# each class, or Parquet shards.
#
# Interactive version: [Training](http://127.0.0.1:8000/training) shows how the network that Glassbot ships was trained; with
# `GLASSBOT_RUNS` set to the path in `run`, `make serve` shows yours.

# %%
from skimage import data as photographs

names = ("astronaut", "brick", "coffee", "grass", "gravel", "retina", "rocket")
photos = {name: getattr(photographs, name)() for name in names}
photos["cat"] = photographs.chelsea()
photos["galaxies"] = photographs.hubble_deep_field()
photos["photographer"] = photographs.camera()
gone_with_the_kernel = tempfile.TemporaryDirectory()
folder = Path(gone_with_the_kernel.name)


# %%
def cut(photo, half, place, count):
    """Windows of 96 × 96 pixels, from the left to train and from the right to test."""
    place.mkdir(parents=True)
    border = int(0.6 * photo.shape[1])
    part = photo[:, :border] if half == "train" else photo[:, border:]
    for number in range(count):
        y, x = (chance.integers(side - 96) for side in part.shape[:2])
        Image.fromarray(part[y : y + 96, x : x + 96]).save(place / f"{number}.png")


# %%
from training import data

if not PICTURES:
    for name, photo in photos.items():
        cut(photo, "train", folder / "photo/train" / name, 150)
        cut(photo, "val", folder / "photo/val" / name, 50)
spec = PICTURES or str(folder / "photo")
train, test = data.load(spec, "train"), data.load(spec, "validation")
classes = [label.name for label in train.vocabulary.labels]

# %%
from notebooks.workbench import evenly

some = evenly(test, 20)
titles = [classes[number] for number in some.targets]
drawing.pictures(some.pictures.array, titles, columns=7, side=1.05)

# %% [markdown]
# Before you train, ask what is too easy. Guessing is right once in as many times as there are classes. And colour alone?
#
# **Predict.** For each class take the mean colour, and say the class whose colour is nearest. How often is that right?

# %% tags=["reveal"]
from notebooks.workbench import right_by_colour

by_colour = right_by_colour(train, test)
print(f"by chance {1 / len(classes):.0%}, by colour {by_colour:.0%}")

# %% [markdown]
# A network has to beat *that*. Here is the paper’s: its layers with LRN, overlapping pooling and dropout, its update
# rule. Six things differ, for these few minutes: pictures of 67 pixels, batches of 64, weights drawn so that a signal
# keeps its strength from layer to layer, pixels scaled to about −2 to 2, no colour noise, and a learning rate that falls
# as a line.

# %%
from notebooks.workbench import command

recipe = ["--recipe", "paper", "--batch-size", 64, "--log-every", 8]
recipe += ["--set", "stages=67:1", "--set", "initialisation=fan_in"]
recipe += ["--set", "centred=false", "--set", "colour_noise=0"]
recipe += ["--set", "schedule=linear"]
length = ["--minutes", 1.5] if PICTURES else ["--epochs", 0.2 if SHORT else 6]
run = folder / "run"

# %% [markdown]
# **Predict.** Six times through 1,500 windows. How many of the windows from the other part will it get right?
#
# It takes about a minute on two cores. The command is the one that you would type in a terminal,
# `python -m training train …`; watch the loss fall.

# %% tags=["reveal"]
command("train", *recipe, *length, "--data", spec, "--out", run, "--precision", "f32")

# %%
from model.runlog import reader

entries = reader.entries(run / "metrics.jsonl")
steps, losses = np.array([(e["step"], e["loss"]) for e in entries if "loss" in e]).T
guessing = np.full(len(losses), np.log(len(classes)))
lines = {"the network": (steps, losses), "guessing": (steps, guessing)}
drawing.curves("loss while it learns", "step", **lines)

# %%
mine = load(run / "last.safetensors")
[measured] = mine.measured.values()
names = ("by chance", "by colour", "the network")
shares = 100 * np.array([1 / len(classes), by_colour, measured["top1"]])
drawing.bars("right on windows it never saw", names, shares, form="{:.0f} %")
assert SHORT or PICTURES or measured["top1"] > by_colour > 1 / len(classes)

# %% [markdown]
# Is it the network that was measured that answers? Ask it again, with the engine of the service, and look at a few
# windows that it gets wrong.

# %%
from training.evaluation.accuracy import predict_scores

served = create_engine(mine, engine="openvino", precision="f32")
guesses = predict_scores(served, test, slice(None)).argmax(1)
assert abs((guesses == test.targets).mean() - measured["top1"]) < 0.01
wrong = np.flatnonzero(guesses != test.targets)
wrong = wrong[:: max(1, len(wrong) // 6)][:6]
titles = [f"{classes[test.targets[i]]}:\n“{classes[guesses[i]]}”" for i in wrong]
drawing.pictures(test.subset(wrong).pictures.array, titles, columns=6, side=1.2)

# %% [markdown]
# **Exercise.** Look at the curve’s start. Which loss has a network that gives each of ten classes a tenth? The loss of
# one picture is $-\log p$ of its own class. (Three digits do.)

# %%
answer = ...
check("training", answer)

# %% [markdown]
# ## 14. What it learned
#
# Its 96 kernels of conv1 began as noise.
#
# **Predict.** After a minute, what will they look like? And what did learning *add* to them?

# %% tags=["reveal"]
dice = torch.Generator().manual_seed(0)
first = AlexNet(mine.architecture).initialise("fan_in", dice)
before, after = first.conv1.weight.detach().numpy(), mine.weights["conv1.weight"]
added = after - before
most = np.argsort(-np.abs(added).mean((1, 2, 3)))[:24]
drawing.tiles(before[most], title="before")
drawing.tiles(after[most], title="after")
drawing.tiles(added[most], title="what learning added")
print(f"they moved by {np.abs(added).mean() / np.abs(before).mean():.0%} of their size")

# %% [markdown]
# They still look like noise: so little was added. But what was added is no noise at all. It has colours and soft edges,
# the beginnings of the paper’s Figure 3, which took six days. Is that more than an impression? In noise, a weight says
# nothing of its neighbour.

# %%
alike = {}
for title, kernels in (("before", before), ("added", added)):
    left, right = kernels[..., :-1].ravel(), kernels[..., 1:].ravel()
    alike[title] = np.corrcoef(left, right)[0, 1]
for title, r in alike.items():
    print(f"{title}: {r:.2f}, where 1 is the same and 0 is noise")
assert abs(alike["before"]) < 0.05
assert alike["added"] > 0.5

# %% [markdown]
# Now to the network that Glassbot ships. It was trained for hours, on photos of things and places and on captions.
# A layer makes one map with each kernel; here are the strongest of three layers, for the cup.
#
# **Predict.** In which of conv1, conv3 and conv5 will you still recognise it?
#
# Interactive version: [See](http://127.0.0.1:8000/), with a photo of your own

# %% tags=["reveal"]
shown = engine.run(seen[None], maps=("conv1", "conv3", "conv5", "pool5", "fc6", "fc7"))
for name in ("conv1", "conv3", "conv5"):
    maps = shown.maps[name][0]
    side, strongest = len(maps[0]), maps[np.argsort(-maps.max((1, 2)))[:24]]
    drawing.tiles(strongest, title=f"{name}: 24 of {len(maps)} maps, {side} × {side}")
    assert maps.shape == glassbot.architecture.layer(name).shape
    assert maps.min() >= 0

# %% [markdown]
# In conv1 you can still see the cup; conv5 only says *here is something*. The network has traded where for what.
#
# A **class map** goes back from the answer: where in conv5 was the evidence for it?
#
# **Predict.** Which part of the photo is evidence for its first label?

# %% tags=["reveal"]
from model.explain import class_map, find_row, gradient

best = describe(shown.logits[0], glassbot).labels[0].label.name
towards = gradient(shown, 0, glassbot, find_row(glassbot, best))
conv5 = shown.maps["conv5"][0]
ways = ("gradcam", "layercam")
maps = {f"{best}, {way}": class_map(towards, conv5, way) for way in ways}
drawing.evidence(seen, maps, glassbot.architecture.layer("conv5"))
assert all(one.shape == (13, 13) and one.min() >= 0 for one in maps.values())

# %% [markdown]
# A class map shows where the evidence lay. It does not outline a thing, and it does not say that the label is right.
#
# **Predict.** Four more photos. For each: will the sentence be right, careful, or wrong?

# %% tags=["reveal"]
names = ("spices", "raccoon", "goldfish")
files = ["static/samples/dunes.webp", *(f"docs/photos/{name}.webp" for name in names)]
more = [Image.open(ROOT / file) for file in files]
looks = np.stack([prepare(photo, glassbot.architecture)[0] for photo in more])
drawing.pictures(looks, columns=4, side=1.7)
for logits in engine.run(looks).logits:
    print(describe(logits, glassbot).caption.text)

# %% [markdown]
# **Exercise.** Which is the first layer whose cells see more than half of the photo’s 227 pixels? Write its name in
# quotes.

# %%
answer = ...
check("learned", answer)

# %% [markdown]
# ## 15. The process of recreational research
#
# “The idea he had at the time was just to re-implement the original LeNet architecture.” Recreate something, look at what
# surprises you, ask a smaller question, answer it with numbers. You have all that it takes.
#
# The paper makes claims that can be tested. Choose one.

# %%
from training.paper.hypotheses import HYPOTHESES, paper_base

for name, claim in HYPOTHESES.items():
    print(f"{name:8} {claim.statement}\n{'':8} the paper: {claim.paper}")

# %%
CLAIM = "relu"

# %% [markdown]
# A fair test: two networks that differ in this one thing, from the same seed, for equally many steps. Here ReLU is the
# one *with it*, tanh the one *without*. One pair can be luck, so we take three seeds, and Student’s *t* says how far three
# can be trusted.
#
# **Predict.** The paper’s Figure 1 has ReLU six times as fast as tanh. Here are 30 steps of 32 pictures. What will you
# find?

# %% tags=["reveal"]
from training.paper.ablation import pairs, subset
from training.trainer.device import pick_device

claim, device = HYPOTHESES[CLAIM], pick_device("cpu")
sides = claim.sides(paper_base(67, 32))
sets = evenly(subset(train, 10, 5000), 500), evenly(subset(test, 10, 5000), 100)
steps, seeds = (2, 2) if SHORT else (30, 3)
tried = list(pairs(sides, sets, {}, steps=steps, seeds=seeds, device=device))
along = range(1, steps + 1)
with_it, without = tried[-1]
lines = {"with it": (along, with_it.losses), "without": (along, without.losses)}
drawing.curves(f"loss of the last pair: {claim.statement}", "step", **lines)

# %%
from training.evaluation.statistics import student_interval

gains = [claim.gain(with_it, without) for with_it, without in tried]
mean, half = student_interval(gains)
drawing.gains(gains, mean, half, even=claim.even, title=claim.measure)
print(f"{claim.statement} – the paper: {claim.paper}; here: {mean:.2f} ± {half:.2f}")
apart = abs(mean - claim.even) > half
side = "better" if mean > claim.even else "worse"
print(f"More than chance: {side} with it." if apart else "These pairs cannot tell.")

# %% [markdown]
# What this can say: how the two differ *here*, on these pictures, in so few steps, at one rate that was not tuned for
# either side. What it cannot: whether the paper was right. Its Figure 1 had another network, the best rate for each side,
# and went on until 25 % training error. At the start, with weights drawn so that nothing saturates, tanh has a slope of
# about 1 as well; what hurts it comes later and deeper.
#
# A claim holds under its conditions. Finding out which is the fun of it. Go on: another seed, another rate, more steps,
# `python -m training ablate relu --data … --budget 10`. Write down the failures, too: ours are in
# `docs/experiments.md`.

# %% [markdown]
# **Exercise.** Which sentence may you write after these runs? Answer `"a"`, `"b"` or `"c"`.
#
# - a: ReLU is not faster than tanh, so the paper is wrong.
# - b: In 30 steps of 32 pictures from three seeds, this is how they differed, give or take the interval.
# - c: With more seeds, the paper’s six times would have come out.

# %%
answer = ...
check("research", answer)

# %% [markdown]
# That was AlexNet. Send this to somebody who wonders how a computer sees; and next time something is called intelligent,
# ask for its layer table.
