#!/usr/bin/env bash
# openvino 2026.4.1: Tensor and constant take an array of big-endian numbers for a little-endian one; a compiled model that is called with it does not.
#
# Expected: numpy says in its type how an array's numbers are stored, so a Tensor made of it holds the same numbers, or refuses the type. Seen: the
# bytes are kept, the order is forgotten, and the numbers are others, without a word: with and without shared memory, in Tensor.copy_from() and in
# opset13.constant(). The same array, given to the compiled model itself, is converted and right; so whoever wraps his pictures in Tensors
# to save a copy gets other answers. Pillow hands out such arrays for TIFF files with 16 bits a channel in big-endian order (mode I;16B), as does
# numpy.frombuffer() for IDX, FITS and 16-bit PGM. array.astype(array.dtype.newbyteorder("=")) avoids it.
# Output: Pillow: I;16B, >u2, [1, 300, 40000]
#         Tensor: u16, [256, 11265, 16540]
#         Tensor of shared memory: u16, [256, 11265, 16540]
#         Tensor.copy_from: [256, 11265, 16540]
#         constant: [256, 11265, 16540]
#         model called with the array: [1.0, 300.0, 40000.0]
#         model called with a Tensor of it: [256.0, 11265.0, 16540.0]
#         Tensor of native numbers: u16, [1, 300, 40000]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet openvino==2026.4.1 numpy==2.2.6 pillow==12.3.0
"$work/env/bin/python" - <<'PYTHON' | tee "$work/out"
import io

import numpy as np
import openvino as ov
from openvino import opset13
from PIL import Image

stored = np.array([[1, 300, 40000]], ">u2")
file = io.BytesIO()
Image.frombytes("I;16B", (3, 1), stored.tobytes()).save(file, "TIFF")
photo = Image.open(file)
array = np.array(photo)
print(f"Pillow: {photo.mode}, {array.dtype.str}, {array[0].tolist()}")


def told(tensor):
    return f"{tensor.element_type.get_type_name()}, {tensor.data[0].tolist()}"


print("Tensor:", told(ov.Tensor(array)))
print("Tensor of shared memory:", told(ov.Tensor(array, shared_memory=True)))
copied = ov.Tensor(ov.Type.u16, [1, 3])
copied.copy_from(array)
print("Tensor.copy_from:", copied.data[0].tolist())
print("constant:", opset13.constant(array).data[0].tolist())

pixels = opset13.parameter([1, 3], ov.Type.u16)
model = ov.Core().compile_model(ov.Model([opset13.convert(pixels, "f32")], [pixels]), "CPU")
print("model called with the array:", model([array])[0][0].tolist())
print("model called with a Tensor of it:", model([ov.Tensor(array)])[0][0].tolist())
print("Tensor of native numbers:", told(ov.Tensor(array.astype(array.dtype.newbyteorder("=")))))
PYTHON
diff - "$work/out" <<'SEEN'
Pillow: I;16B, >u2, [1, 300, 40000]
Tensor: u16, [256, 11265, 16540]
Tensor of shared memory: u16, [256, 11265, 16540]
Tensor.copy_from: [256, 11265, 16540]
constant: [256, 11265, 16540]
model called with the array: [1.0, 300.0, 40000.0]
model called with a Tensor of it: [256.0, 11265.0, 16540.0]
Tensor of native numbers: u16, [1, 300, 40000]
SEEN
echo "as found"
