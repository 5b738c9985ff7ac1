#!/usr/bin/env bash
# pyarrow 26.0.1: a fixed_shape_tensor whose three axes are rotated, as between channels first and channels last, comes back mixed up.
#
# Expected: as Arrow's specification has it, axis i of what is read is axis permutation[i] of what is stored, and to_numpy_ndarray() undoes
# from_numpy_ndarray(). Both hold where two axes are swapped. Seen: where all three are rotated, a tensor of a declared permutation is read with
# the right shape and wrong strides, so that some numbers come twice and others never; from_numpy_ndarray() notes the opposite rotation, and so
# pictures seen as 4 x 5 x 3 come back as 5 x 3 x 4, without a word; and photos, stored channels last and seen channels first, raise
# ArrowInvalid. numpy.ascontiguousarray() before from_numpy_ndarray() avoids it.
# Output: declared (0, 2, 1): (2, 3, 5, 4), right
#         declared (1, 2, 0): (2, 4, 5, 3), 82 of 120 numbers come back, 10 in place
#         view (0, 2, 1): noted as [0, 2, 1], back as (2, 3, 5, 4), right
#         view (1, 2, 0): noted as [2, 0, 1], back as (2, 5, 3, 4)
#         photos (2, 3, 24, 32): ArrowInvalid: strides must not involve buffer over run
#         photos made contiguous: right
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet pyarrow==26.0.1 numpy==2.2.6
"$work/env/bin/python" - <<'PYTHON' | tee "$work/out"
import numpy as np
import pyarrow as pa

Tensors = pa.FixedShapeTensorArray
stored = np.arange(2 * 3 * 4 * 5, dtype=np.int32).reshape(2, 3, 4, 5)  # two pictures


def seen(permutation):
    return stored.transpose(0, *(axis + 1 for axis in permutation))


for permutation in ((0, 2, 1), (1, 2, 0)):
    kind = pa.fixed_shape_tensor(pa.int32(), stored.shape[1:], permutation=permutation)
    rows = pa.FixedSizeListArray.from_arrays(stored.ravel(), 60)
    back = pa.ExtensionArray.from_storage(kind, rows).to_numpy_ndarray()
    in_place = int((back == seen(permutation)).sum())
    mixed_up = f"{np.unique(back).size} of {stored.size} numbers come back, {in_place} in place"
    print(f"declared {permutation}: {back.shape},", "right" if in_place == stored.size else mixed_up)

for permutation in ((0, 2, 1), (1, 2, 0)):
    tensors = Tensors.from_numpy_ndarray(seen(permutation))
    back = tensors.to_numpy_ndarray()
    right = ", right" if np.array_equal(back, seen(permutation)) else ""
    print(f"view {permutation}: noted as {tensors.type.permutation}, back as {back.shape}{right}")

photos = np.arange(2 * 24 * 32 * 3, dtype=np.uint16).reshape(2, 24, 32, 3).transpose(0, 3, 1, 2)  # channels first
try:
    back = Tensors.from_numpy_ndarray(photos).to_numpy_ndarray()
    print("photos:", back.shape)
except pa.ArrowInvalid as error:
    print(f"photos {photos.shape}: ArrowInvalid: {error}")
back = Tensors.from_numpy_ndarray(np.ascontiguousarray(photos)).to_numpy_ndarray()
print("photos made contiguous:", "right" if np.array_equal(back, photos) else "wrong")
PYTHON
diff - "$work/out" <<'SEEN'
declared (0, 2, 1): (2, 3, 5, 4), right
declared (1, 2, 0): (2, 4, 5, 3), 82 of 120 numbers come back, 10 in place
view (0, 2, 1): noted as [0, 2, 1], back as (2, 3, 5, 4), right
view (1, 2, 0): noted as [2, 0, 1], back as (2, 5, 3, 4)
photos (2, 3, 24, 32): ArrowInvalid: strides must not involve buffer over run
photos made contiguous: right
SEEN
echo "as found"
