"""The server: routes, each of which calls one function in the one thread that its part of the program has.

/api/description            what is explored                                  JSON
/api/decode?sharp=1         codes, float32 (N, Z)                             -> pictures, uint8 (N, S, S, C)
/api/encode?name=           a picture file                                    -> code and picture, JSON
/api/image/ORIGIN           an image of the data set, ORIGIN = SPLIT/BATCH/IMAGE   -> code, picture and labels, JSON
/api/truth                  {origin, values, parts_from}, JSON                -> the renderer's picture, uint8 (S, S, C)
/api/batches, /api/histograms?split=&kind=&first=&LABEL=LOW:HIGH              JSON
/api/strip/SPLIT/BATCH/LAYER.png, /api/person/ORIGIN.glb

An error is {"error": sentence} with a status of 400 or more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from msgspec import Meta
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dcign.arrays import Float32
from dcign.errors import DataError, DcignError, TrainingError
from dcign.explore.data_browser import DataBrowser
from dcign.explore.explored import Explored
from dcign.explore.guard import LOOPBACK, Guard
from dcign.explore.network import ExploredRun, data_url
from dcign.explore.page import STATIC, index_html, script_hashes
from dcign.explore.truth import TruthRenderer, parse_origin
from dcign.printable import printable

MOST_UPLOAD = 32 << 20  # bytes
MOST_BODY = 1 << 20  # bytes of any other request
MOST_CODES = 64
LONGEST_NAME = 60
NO_DATA = "expected a data set, found none: open the explorer with a data set, or with a run whose data set is there."
NO_RENDERER = "expected a data set of dcign render, found another one: it has no renderer and no heads in 3D."
NOT_FILTERS = ("split", "kind", "first")

Json = dict[str, Any]
T = TypeVar("T")
Name = Annotated[str, Meta(max_length=60)]
Answer = Callable[[Request], Awaitable[Response]]


class TooLarge(DcignError):
    """A request holds more bytes than the server reads."""


class TruthRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The content of a request to /api/truth."""

    origin: Name
    values: dict[Name, float] = {}
    parts_from: dict[Name, Name] = {}


def explorer_app(explored: Explored, hosts: tuple[str, ...] = LOOPBACK, token: str = "") -> Starlette:
    """Return the server's application. hosts, token: as in `Guard`."""
    api = _Api(explored)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await api.close()

    routes = [
        Route("/", _index),
        Route("/api/description", _answering(api.description)),
        Route("/api/decode", _answering(api.decode), methods=["POST"]),
        Route("/api/encode", _answering(api.encode), methods=["POST"]),
        Route("/api/image/{origin:path}", _answering(api.image)),
        Route("/api/truth", _answering(api.draw_truth), methods=["POST"]),
        Route("/api/batches", _answering(api.batches)),
        Route("/api/histograms", _answering(api.histograms)),
        Route("/api/strip/{split}/{batch:int}/{layer}.png", _answering(api.strip)),
        Route("/api/person/{origin:path}.glb", _answering(api.person)),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    guard = Middleware(Guard, hosts=hosts, token=token, script_hashes=script_hashes())
    return Starlette(routes=routes, middleware=[guard], lifespan=lifespan)


class _Api:
    """The answers. The network, the data set and the renderer each compute in a thread of their own."""

    def __init__(self, explored: Explored) -> None:
        self._explored = explored
        self._threads = {name: ThreadPoolExecutor(1, name) for name in ("network", "data", "truth")}

    async def close(self) -> None:
        """Release the renderer's OpenGL context in its own thread, then end the threads."""
        if self._explored.truth is not None:
            await self._in("truth", self._explored.truth.close)
        for each in self._threads.values():
            each.shutdown(cancel_futures=True)

    async def description(self, _: Request) -> Response:
        return JSONResponse(self._explored.description)

    async def decode(self, request: Request) -> Response:
        network = self._network
        latents = network.run.layout.size
        content = await _body(request, MOST_BODY)
        codes: Float32 = np.frombuffer(content, "<f4") if len(content) % 4 == 0 else np.zeros(0, np.float32)
        if not codes.size or codes.size % latents or codes.size > MOST_CODES * latents:
            raise TrainingError(
                f"expected 1 to {MOST_CODES} codes of {latents} float32, found {len(content)} bytes: correct it."
            )
        sharp = request.query_params.get("sharp") == "1"
        pictures = await self._in("network", network.decode, codes.reshape(-1, latents), sharp)
        return Response(pictures.tobytes(), media_type="application/octet-stream")

    async def encode(self, request: Request) -> Response:
        name = printable(request.query_params.get("name", "the picture"))[:LONGEST_NAME]
        network = self._network
        content = await _body(request, MOST_UPLOAD)
        return JSONResponse(await self._in("network", network.encode_upload, content, name))

    async def image(self, request: Request) -> Response:
        origin = request.path_params["origin"]
        image, labels = await self._in("data", self._data.image, *parse_origin(origin))
        found: Json = {"origin": origin, "name": origin, "labels": labels, "image": data_url(image)}
        if self._explored.network is not None:
            found |= await self._in("network", self._explored.network.encode, image)
        return JSONResponse(found)

    async def draw_truth(self, request: Request) -> Response:
        truth = self._truth
        try:
            asked = msgspec.json.decode(await _body(request, MOST_BODY), type=TruthRequest)
        except msgspec.DecodeError as error:
            raise DataError(
                f"expected origin, values and parts_from, found another request ({error}): correct it."
            ) from None
        drawn = await self._in("truth", truth.draw, asked.origin, asked.values, asked.parts_from)
        return Response(drawn.tobytes(), media_type="application/octet-stream")

    async def batches(self, request: Request) -> Response:
        split, kind, ranges = _filters(request)
        first = _whole(request.query_params.get("first", "0"))
        return JSONResponse(await self._in("data", self._data.find, split, kind, ranges, first))

    async def histograms(self, request: Request) -> Response:
        return JSONResponse(await self._in("data", self._data.histograms, *_filters(request)))

    async def strip(self, request: Request) -> Response:
        place = request.path_params
        content = await self._in("data", self._data.strip, place["split"], place["batch"], place["layer"])
        return Response(content, media_type="image/png", headers={"Cache-Control": "private, max-age=600"})

    async def person(self, request: Request) -> Response:
        content = await self._in("truth", self._truth.mesh, request.path_params["origin"])
        return Response(content, media_type="model/gltf-binary")

    @property
    def _network(self) -> ExploredRun:
        if self._explored.network is None:
            raise TrainingError("expected a run, found a data set: open the explorer with a run.")
        return self._explored.network

    @property
    def _data(self) -> DataBrowser:
        if self._explored.data is None:
            raise DataError(NO_DATA)
        return self._explored.data

    @property
    def _truth(self) -> TruthRenderer:
        if self._explored.truth is None:
            raise DataError(NO_DATA if self._explored.data is None else NO_RENDERER)
        return self._explored.truth

    async def _in(self, thread: str, function: Callable[..., T], *arguments: Any) -> T:  # those of the function
        return await asyncio.get_running_loop().run_in_executor(self._threads[thread], function, *arguments)


async def _index(_: Request) -> Response:
    return HTMLResponse(index_html())


def _answering(answer: Answer) -> Answer:
    """Return an endpoint that answers errors with their sentence."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except TooLarge as error:
            return JSONResponse({"error": str(error)}, 413)
        except DcignError as error:
            return JSONResponse({"error": printable(str(error))}, 400)
        except ClientDisconnect:
            raise HTTPException(400) from None  # nobody reads it

    return endpoint


async def _body(request: Request, most: int) -> bytes:
    """Read a request's body. Raises TooLarge as soon as it has more than `most` bytes."""
    announced = request.headers.get("content-length", "")
    parts, held = [], int(announced) if announced.isascii() and announced.isdigit() else 0
    if held <= most:
        held = 0
        async for part in request.stream():
            parts.append(part)
            held += len(part)
            if held > most:
                break
    if held > most:
        raise TooLarge(f"expected {most >> 20} MB or less, found more: make the file smaller.")
    return b"".join(parts)


def _filters(request: Request) -> tuple[str, str, dict[str, tuple[float, float]]]:
    """Return split, kind of batch, and the range of each label, of a query such as split=test&age=20:30."""
    query = request.query_params
    ranges = {}
    for name, text in query.items():
        if name not in NOT_FILTERS:
            low, _, high = text.partition(":")
            try:
                ranges[name] = float(low), float(high)
            except ValueError:
                raise DataError(f"expected {name}=LOW:HIGH, found {text[:40]!r}: correct it.") from None
    return query.get("split", ""), query.get("kind", ""), ranges


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise DataError(f"expected a whole number, found {text[:40]!r}: correct it.")
    return int(text)
