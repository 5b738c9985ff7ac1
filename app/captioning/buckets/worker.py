"""One network that answers one part after another: in this process, or in an actor of Ray."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from app.captioning import local_network
from app.captioning.buckets import parts
from app.captioning.buckets.answers_folder import AnswersFolder
from app.captioning.buckets.parts import Answers, Layout
from app.captioning.buckets.pictures import StoredPicture
from app.captioning.buckets.read_ahead import ReadAhead
from app.captioning.buckets.stores import Store, open_store
from app.inference.engine_host import CreateEngine
from app.inference.offline.paths import reading_error
from app.settings import Settings, SettingsError
from app.startup import StartError
from model.checkpoint import CheckpointError
from model.engines import create_engine

_READERS = 8
"""Pictures that are read at the same time."""


@dataclass(frozen=True)
class Part:
    """One part of a job."""

    number: int
    pictures: list[StoredPicture]
    """All of its pictures, those included that have an answer already."""


@dataclass(frozen=True)
class Plan:
    """A job: what is to be answered, how, and where the answers go. It can be sent elsewhere as JSON."""

    out: str
    """Address of the folder with the answers."""
    layout: Layout
    settings: Settings
    """Those of the process that plans: a worker elsewhere reads none of its own."""

    def as_json(self) -> dict[str, Any]:
        """Return the plan as what JSON can hold."""
        settings = self.settings.model_dump(mode="json", exclude={"api_keys", "cors_origins", "runs"})
        return {"out": self.out, "layout": asdict(self.layout), "settings": settings}

    @classmethod
    def from_json(cls, plan: dict[str, Any]) -> Plan:
        """Return the plan that :meth:`as_json` gave."""
        return cls(plan["out"], Layout(**plan["layout"]), Settings(**plan["settings"]))


@dataclass(frozen=True)
class PartDone:
    """What came of one part."""

    number: int
    answered: int = 0
    """How many of its pictures have an answer now."""
    errors: list[tuple[str, str]] = field(default_factory=list)
    """The names of the pictures that have none, and why, in one sentence each."""
    failure: str = ""
    """Why nothing can be done, in one sentence; it ends the job."""
    status: int = 1
    """The exit status of a job that ends so."""


class Worker:
    """Answers parts with a network of its own, which is loaded for the first of them. Close it."""

    def __init__(self, plan: Plan, create_engine: CreateEngine = create_engine) -> None:
        self._plan = plan
        self._create_engine = create_engine
        self._runner = asyncio.Runner()
        self._opened = AsyncExitStack()
        self._network: local_network.LocalNetwork | None = None
        self._stores: dict[str, Store] = {}
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="read")

    def close(self) -> None:
        """Stop the network and all threads."""
        self._runner.run(self._opened.aclose())
        self._runner.close()
        self._readers.shutdown(cancel_futures=True)

    def do(self, part: Part) -> PartDone:
        """Answer those pictures of a part that its file lacks, and write the file."""
        try:
            answers = self._folder.read(self._plan.layout, part.number)
            missing = [picture for picture in part.pictures if picture.name not in answers]
            errors = self._runner.run(self._answer(missing, answers)) if missing else []
            if len(errors) < len(missing):
                self._folder.write(self._plan.layout, part.number, answers)
        except (SettingsError, StartError, CheckpointError) as error:
            return PartDone(part.number, failure=str(error), status=2 if isinstance(error, SettingsError) else 1)
        return PartDone(part.number, len(part.pictures) - len(errors), errors)

    @cached_property
    def _folder(self) -> AnswersFolder:
        return AnswersFolder(self._plan.out)

    async def _answer(self, pictures: list[StoredPicture], answers: Answers) -> list[tuple[str, str]]:
        """Add the answers of pictures to ``answers``, and return the names of those that have none, and why."""
        network = await self._running()
        ahead = ReadAhead(pictures, self._read, self._readers)
        errors = []
        async with aclosing(network.captions(range(len(pictures)), ahead.take)) as captions:
            async for number, caption in captions:
                name = pictures[number].name
                if isinstance(caption, dict):
                    answers[name] = parts.line(name, caption)
                else:
                    errors.append((name, reading_error(caption)))
        return errors

    async def _running(self) -> local_network.LocalNetwork:
        if self._network is None:
            opening = local_network.open_captioner(self._plan.settings, self._create_engine)
            network = await self._opened.enter_async_context(opening)
            if network.version != self._plan.layout.version:
                raise SettingsError(
                    f"{self._plan.settings.checkpoint} is the network {network.version} on one machine and "
                    f"{self._plan.layout.version} on another: copy the same file to all."
                )
            self._network = network
        return self._network

    def _read(self, picture: StoredPicture) -> bytes:
        if picture.address not in self._stores:
            self._stores[picture.address], _ = open_store(picture.address)
        return self._stores[picture.address].read(picture.path)


def do_here(plan: Plan, todo: list[Part], create_engine: CreateEngine) -> Generator[PartDone]:
    """Yield what came of each part, done in this process."""
    worker = Worker(plan, create_engine)
    try:
        for part in todo:
            yield worker.do(part)
    finally:
        worker.close()
