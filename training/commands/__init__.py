"""The commands of ``python -m training``, one module each: ``add`` describes it to the parser, ``run`` does it."""

from __future__ import annotations

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
