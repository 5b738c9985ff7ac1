#!/usr/bin/env bash
# Pillow 13.0.0 refuses to decode intact JPEG 2000 pictures at a reduced resolution where their sides do not halve evenly.
#
# Expected: with `reduce = 2`, any picture of enough resolutions is decoded at a quarter of its sides. Seen: Pillow rounds each side to the
# nearest number, the decoder rounds up (ISO/IEC 15444-1, B.5), and where the two differ, as for 481 pixels (120 and 121), loading
# raises OSError "broken data stream", as for a damaged file. The same file is decoded whole, and by half (241 and 241).
# Output: 480 x 640, reduce 2: (120, 160)
#         481 x 640, reduce 0: (481, 640)
#         481 x 640, reduce 1: (241, 320)
#         481 x 640, reduce 2: OSError
#         482 x 640, reduce 2: (121, 160)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet pillow==13.0.0
"$work/env/bin/python" - <<'PYTHON' | tee "$work/out"
from io import BytesIO

from PIL import Image


def decoded(size: tuple[int, int], reduce: int) -> str:
    file = BytesIO()
    Image.linear_gradient("L").resize(size).save(file, "JPEG2000", num_resolutions=6)
    with Image.open(file) as picture:
        picture.reduce = reduce
        try:
            picture.load()
        except OSError:
            return "OSError"
        return str(picture.size)


for size, reduce in (((480, 640), 2), ((481, 640), 0), ((481, 640), 1), ((481, 640), 2), ((482, 640), 2)):
    print(f"{size[0]} x {size[1]}, reduce {reduce}: {decoded(size, reduce)}")
PYTHON
diff - "$work/out" <<'SEEN'
480 x 640, reduce 2: (120, 160)
481 x 640, reduce 0: (481, 640)
481 x 640, reduce 1: (241, 320)
481 x 640, reduce 2: OSError
482 x 640, reduce 2: (121, 160)
SEEN
echo "as found"
