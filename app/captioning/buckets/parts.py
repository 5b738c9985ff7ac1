"""The answers of a job, in parts: ``part-00007-of-00040-<version of the network>.jsonl`` or ``.parquet``.

Which part a picture belongs to follows from its name and the number of parts alone, and a part is written at once. So
whoever does a part again, or twice at the same time, writes the same file: no picture is ever answered in two places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, TypeVar, cast

from app.captioning.buckets import tables
from app.captioning.files import PredictionFields
from app.captioning.line_formats import JsonLines
from app.settings import SettingsError

T = TypeVar("T")

PICTURES = 512
"""Pictures of a part, on average, where a job begins."""
_MOST_PICTURES = 16 * PICTURES
"""Most pictures of a part, on average, where a job goes on with more pictures than it began with."""
_NAME = re.compile(r"part-(\d{5,})-of-(\d{5,})-([\w-]*)\.(jsonl|parquet)")
ERRORS = "_errors.jsonl"
"""The file beside the parts with the pictures that have no answer; readers of data sets pass over its underscore."""

Format = Literal["jsonl", "parquet"]
Answers = dict[str, bytes]
"""Name of a picture -> its line, as :class:`JsonLines` writes it."""


@dataclass(frozen=True)
class Layout:
    """How the answers of a job are cut into files."""

    parts: int
    """The number of parts of the job."""
    version: str
    """The version of the network."""
    format: Format
    """How a part is written."""

    def name(self, part: int) -> str:
        """Return the file name of a part."""
        return f"part-{part:05}-of-{self.parts:05}-{self.version}.{self.format}"

    def part_of(self, name: str) -> int:
        """Return the part that the picture of a name belongs to."""
        return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) % self.parts


def layout_for(pictures: int, present: Iterable[str], *, version: str, format: Format, out: str) -> Layout:
    """Return the layout that goes on with the files that are ``present`` in ``out``, or begins with ``pictures``.

    Raises SettingsError where they are not parts of one such job.
    """
    names = [_NAME.fullmatch(name) for name in present if not _is_beside(name)]
    found = {match.groups()[1:] if match else None for match in names}
    if not found:
        return Layout(-(-pictures // PICTURES), version, format)
    if None in found or len(found) > 1:
        raise SettingsError(f"{out} holds other files than the answers of one job: name another folder with --out.")
    of, version_there, format_there = cast(tuple[str, str, str], next(iter(found)))
    if version_there != version:
        raise SettingsError(
            f"{out} contains captions by the network {version_there}, and this network is {version}: "
            "name another folder with --out."
        )
    if format_there != format:
        raise SettingsError(f"{out} contains {format_there}: say --format {format_there}, or name another folder.")
    if pictures > _MOST_PICTURES * int(of):
        raise SettingsError(f"{out} began with far fewer pictures than {pictures:,}: name another folder with --out.")
    return Layout(int(of), version, format)


def _is_beside(name: str) -> bool:
    """Whether a file is none of the parts: the list of errors, and what a killed writer left of a local file."""
    return name.startswith("_") or name.endswith(".half")


def by_part(things: Mapping[str, T], layout: Layout) -> dict[int, list[T]]:
    """Return the things of each part that has any, in the order of ``things``, by the names of their pictures."""
    parts: dict[int, list[T]] = {}
    for name, thing in things.items():
        parts.setdefault(layout.part_of(name), []).append(thing)
    return dict(sorted(parts.items()))


def line(name: str, prediction: PredictionFields) -> bytes:
    """Return the answer of one picture as a line of JSON, its end included."""
    return JsonLines().encode(name, prediction)


def encode(answers: Answers, format: Format) -> bytes:
    """Return a part with these answers, sorted by name; the same answers give the same bytes."""
    lines = [answers[name] for name in sorted(answers)]
    return b"".join(lines) if format == "jsonl" else tables.encode(lines)


def decode(content: bytes, layout: Layout, part: int) -> Answers:
    """Return the answers in a part. Raises ValueError where it is no whole part of such answers."""
    lines = content.splitlines(keepends=True) if layout.format == "jsonl" else tables.decode(content)
    answers = {_name_in(line, layout): line for line in lines}
    if len(answers) != len(lines) or any(layout.part_of(name) != part for name in answers):
        raise ValueError("its pictures are not those of this part")
    return answers


def _name_in(line: bytes, layout: Layout) -> str:
    try:
        answer = json.loads(line)
        name, version = answer["file"], answer["model"]["version"]
        if layout.format == "parquet":
            tables.facts(answer)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("a line is not an answer") from error
    if not isinstance(name, str) or version != layout.version or not line.endswith(b"\n"):
        raise ValueError("a line is not an answer of this network")
    return name


def error_lines(errors: Sequence[tuple[str, str]]) -> bytes:
    """Return the content of :data:`ERRORS`: a JSON object with ``file`` and ``error`` for each."""
    lines = [json.dumps({"file": name, "error": error}, ensure_ascii=False) + "\n" for name, error in sorted(errors)]
    return "".join(lines).encode()


def check_error_lines(content: bytes) -> None:
    """Raise ValueError where a file is no list as :func:`error_lines` writes it."""
    try:
        for entry in map(json.loads, content.splitlines()):
            _ = entry["file"], entry["error"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("a line is no picture and its error") from error
