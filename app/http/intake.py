"""Takes in one request with pictures: admits it, reads its body within the limits, works while its client stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from app.http import bodies
from app.http.bodies import Upload
from app.inference.admission import Slot
from app.inference.images import ImageName, Picture
from app.inference.predictor import Predictor
from app.settings import Settings

Body = TypeVar("Body")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Intake:
    """One request with pictures, and the parts of the service that answer it.

    They come as one dependency: FastAPI takes some 30 µs for each that it resolves.
    """

    request: Request
    predictor: Predictor
    settings: Settings
    name: ImageName | None = None
    """The picture that the request names; None where it sends one."""

    @property
    def request_id(self) -> str:
        """The id of the request, as in the header ``X-Request-ID`` and in the logs."""
        return str(self.request.state.request_id)

    async def picture(self, work: Callable[[Picture], Coroutine[Any, Any, Result]]) -> Result:
        """What ``work`` returns for the one picture of the request, whether it is sent or named.

        Raises NotReadyError or OverloadedError before the body is read, what :func:`app.http.bodies.picture` raises
        while it is, ClientDisconnect where the client leaves, or what ``work`` raises.
        """

        async def receive() -> Picture:
            limit, seconds = self.settings.max_body_bytes, self.settings.upload_seconds
            if self.name is None:
                return await bodies.picture(self.request, max_bytes=limit, seconds=seconds)
            await bodies.nothing(self.request, max_bytes=limit, seconds=seconds)
            return self.name

        return await self._admitted(receive, lambda picture, _: work(picture))

    async def file(self, work: Callable[[bytes], Coroutine[Any, Any, Result]]) -> Result:
        """What ``work`` returns for the one file, no picture, that is the request's body. Raises as :meth:`picture`."""

        async def receive() -> bytes:
            limit, seconds = self.settings.max_body_bytes, self.settings.upload_seconds
            return await bodies.raw(self.request, max_bytes=limit, seconds=seconds)

        return await self._admitted(receive, lambda body, _: work(body))

    async def message(self, work: Callable[[bytes, Slot], Coroutine[Any, Any, Result]]) -> Result:
        """What ``work`` returns for a body of any type, and the slot of the request. Raises as :meth:`picture`."""

        async def receive() -> bytes:
            limit, seconds = self.settings.max_batch_body_bytes, self.settings.upload_seconds
            return await bodies.whole(self.request, max_bytes=limit, seconds=seconds)

        return await self._admitted(receive, work)

    async def files(self, work: Callable[[list[Upload], Slot], Coroutine[Any, Any, Result]]) -> Result:
        """What ``work`` returns for the files of a batch and the slot of the request. Raises as :meth:`picture`."""

        async def receive() -> list[Upload]:
            settings = self.settings
            return await bodies.uploads(
                self.request,
                max_bytes=settings.max_batch_body_bytes,
                seconds=settings.upload_seconds,
                max_files=settings.max_batch_files,
            )

        return await self._admitted(receive, work)

    async def _admitted(
        self, receive: Callable[[], Awaitable[Body]], work: Callable[[Body, Slot], Coroutine[Any, Any, Result]]
    ) -> Result:
        with self.predictor.host.admit() as slot:
            with slot.receiving():
                body = await receive()
            return await while_connected(self.request, work(body, slot))


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of ``work``, which is cancelled if the client leaves. Only after the body was read to its end.

    Raises ClientDisconnect where the client has left, or what ``work`` raises.
    """
    task = asyncio.create_task(work)
    disconnected = asyncio.ensure_future(_until_disconnected(request))
    try:
        await asyncio.wait({task, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return await task
        raise ClientDisconnect
    finally:
        task.cancel()
        disconnected.cancel()


async def _until_disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
