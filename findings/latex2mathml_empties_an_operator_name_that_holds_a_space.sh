#!/usr/bin/env bash
# latex2mathml 3.81.1: an operator name with a space in it, as "arg max" is written, comes out as an empty operator and single italic letters.
#
# Expected, as amsmath has it: \operatorname{arg\,max} is one upright name, whose index stands beside it, and \operatorname*{arg\,max} one whose
# index stands beneath it in a formula of its own. Seen: an empty <mo>, for the starred form an asterisk that readers see, and six
# <mi> of one letter, which are set in italics and to which the index is attached. Without the space the name is one <mo>. But also there, and
# for \max, the index stands beside it in a formula of its own (<msub>, where movablelimits has no effect), though \sum gets <munder>.
# \argmax is one operator with the space; \underset puts the index beneath.
# Output: \operatorname{argmax}_k: <mo>argmax</mo>, index beside
#         \operatorname{arg\,max}_k: <mo /> and 6 letters, index beside
#         \operatorname*{arg\,max}_k: <mo /> * and 6 letters, index beside
#         \operatorname*{argmax}_k: <mo>argmax</mo>, index beside
#         \max_k: <mo>max</mo>, index beside
#         \sum_k: <mo>∑</mo>, index beneath
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet latex2mathml==3.81.1
"$work/env/bin/python" - <<'PYTHON' | tee "$work/out"
from xml.etree import ElementTree

from latex2mathml.converter import convert

FORMULAS = (
    r"\operatorname{argmax}_k",
    r"\operatorname{arg\,max}_k",
    r"\operatorname*{arg\,max}_k",
    r"\operatorname*{argmax}_k",
    r"\max_k",
    r"\sum_k",
)
for formula in FORMULAS:
    tree = ElementTree.fromstring(convert(formula, display="block"))
    operators = [one.text for one in tree.iterfind(".//{*}mo")]
    letters = [one.text for one in tree.iterfind(".//{*}mi") if one.text != "k"]
    shown = " ".join("<mo />" if not text else text if text == "*" else f"<mo>{text}</mo>" for text in operators)
    beneath = tree.find(".//{*}munder") is not None
    beside = tree.find(".//{*}msub") is not None
    where = "index beneath" if beneath else "index beside" if beside else "no index"
    print(f"{formula}: {shown}{f' and {len(letters)} letters' if letters else ''}, {where}")
PYTHON
diff - "$work/out" <<'SEEN'
\operatorname{argmax}_k: <mo>argmax</mo>, index beside
\operatorname{arg\,max}_k: <mo /> and 6 letters, index beside
\operatorname*{arg\,max}_k: <mo /> * and 6 letters, index beside
\operatorname*{argmax}_k: <mo>argmax</mo>, index beside
\max_k: <mo>max</mo>, index beside
\sum_k: <mo>∑</mo>, index beneath
SEEN
echo "as found"
