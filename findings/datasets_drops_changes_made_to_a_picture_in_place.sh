#!/usr/bin/env bash
# datasets 5.2.0 (Hugging Face): a picture that was opened from a file and changed in place is stored as that file, without the change.
#
# Expected: the Image feature takes a PIL image, as its documentation says, and stores the picture that it is given. Seen: where the picture has
# a file name, only the name is stored, and so what thumbnail(), ImageDraw or seek() did is gone, without a word: map() with thumbnail() over a
# folder of photos leaves every photo as large as it was. A new picture (resize(), copy()) is stored as it is, and so is one decoded from bytes:
# the same map() works on a Parquet file and does nothing on a folder.
# Output: from_dict, thumbnail() to (64, 64): stored (256, 256)
#         from_dict, thumbnail() and copy(): stored (64, 64)
#         from_dict, painted red: stored (0, 0, 0)
#         from_dict, frame 1, blue: stored (255, 0, 0)
#         map with thumbnail() over files: (256, 256)
#         map with thumbnail() over bytes: (64, 64)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet datasets==5.2.0 pillow==13.0.0
cd "$work"
HF_HOME="$work/cache" HF_HUB_OFFLINE=1 "$work/env/bin/python" - <<'PYTHON' | tee "$work/out"
import pathlib

import datasets
from PIL import Image

datasets.disable_progress_bars()
Image.new("RGB", (256, 256)).save("black.png")
Image.new("RGB", (8, 8), "red").save("two.gif", save_all=True, append_images=[Image.new("RGB", (8, 8), "blue")])


def stored(picture):
    return datasets.Dataset.from_dict({"image": [picture]}, datasets.Features(image=datasets.Image()))[0]["image"]


def small(row):
    row["image"].thumbnail((64, 64))
    return row


picture = Image.open("black.png")
picture.thumbnail((64, 64))
print(f"from_dict, thumbnail() to {picture.size}: stored {stored(picture).size}")
print(f"from_dict, thumbnail() and copy(): stored {stored(picture.copy()).size}")

picture = Image.open("black.png")
picture.paste("red", (0, 0, 256, 256))
print(f"from_dict, painted red: stored {stored(picture).getpixel((0, 0))}")

picture = Image.open("two.gif")
picture.seek(1)
print(f"from_dict, frame 1, blue: stored {stored(picture).convert('RGB').getpixel((0, 0))}")

for name, source in (("files", "black.png"), ("bytes", {"bytes": pathlib.Path("black.png").read_bytes(), "path": None})):
    pictures = datasets.Dataset.from_dict({"image": [source]}, datasets.Features(image=datasets.Image()))
    print(f"map with thumbnail() over {name}:", pictures.map(small)[0]["image"].size)
PYTHON
diff - "$work/out" <<'SEEN'
from_dict, thumbnail() to (64, 64): stored (256, 256)
from_dict, thumbnail() and copy(): stored (64, 64)
from_dict, painted red: stored (0, 0, 0)
from_dict, frame 1, blue: stored (255, 0, 0)
map with thumbnail() over files: (256, 256)
map with thumbnail() over bytes: (64, 64)
SEEN
echo "as found"
