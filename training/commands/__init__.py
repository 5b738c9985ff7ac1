"""The commands of ``python -m training``, one module each: ``add`` describes it to the parser, ``run`` runs it.

No command imports another: what two of them share lies in the room that it belongs to.
"""

from __future__ import annotations

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
