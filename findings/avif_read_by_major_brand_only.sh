#!/usr/bin/env bash
# Pillow 13.0.0 and pi-heif 1.4.0 tell an AVIF or HEIF file by its major brand alone.
#
# An ISO media file names one major brand and a list of compatible ones; a reader that knows any of the list may read
# it (ISO/IEC 14496-12, 4.3; MIAF files carry "miaf" first and "avif" among the others). Expected: a file whose list
# holds "avif" is opened whatever stands first. Seen: with the major brand "miaf" the same bytes are no picture.
# Output: avif: opened AVIF (16, 16)
#         miaf first, avif compatible: UnidentifiedImageError
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet pillow==13.0.0 pi-heif==1.4.0
"$work/env/bin/python" - <<'PYTHON' | tee "$work/out"
import io

import pi_heif
from PIL import Image

pi_heif.register_heif_opener()
file = io.BytesIO()
Image.new("RGB", (16, 16), "teal").save(file, "AVIF")
body = file.getvalue()
assert body[4:8] == b"ftyp" and b"avif" in body[16:40] and b"miaf" in body[16:40]
for name, data in (("avif", body), ("miaf first, avif compatible", body[:8] + b"miaf" + body[12:])):
    try:
        with Image.open(io.BytesIO(data)) as picture:
            print(f"{name}: opened {picture.format} {picture.size}")
    except Exception as error:
        print(f"{name}: {type(error).__name__}")
PYTHON
diff - "$work/out" <<'SEEN'
avif: opened AVIF (16, 16)
miaf first, avif compatible: UnidentifiedImageError
SEEN
echo "as found"
