"""The forms in which clients send a picture and its name."""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from quopri import encodestring

import httpx
import pytest

from tests.app.inference import corpus

pytestmark = pytest.mark.anyio

JPEG = corpus.jpeg()

NAMES = {
    'filename="plain.jpg"': "plain.jpg",
    'filename="naïve €.jpg"': "naïve €.jpg",
    'filename="a;b\\"c.jpg"': 'a;b"c.jpg',
    "filename*=UTF-8''na%C3%AFve%20%E2%82%AC.jpg": "naïve €.jpg",
    "filename*=utf-8'de'%C3%BC.jpg": "ü.jpg",
    "filename*=ISO-8859-1''%A3.jpg": "£.jpg",
    "filename=\"x.jpg\"; filename*=UTF-8''%C3%BC.jpg": "ü.jpg",
    "filename*=UTF-8''%C3%BC.jpg; filename=\"x.jpg\"": "ü.jpg",
    "filename*0*=UTF-8''%C3%BC; filename*1=ber.jpg": "über.jpg",
    'filename="=?UTF-8?B?w6ku?= =?UTF-8?Q?jpg?="': "é.jpg",
    'filename="=?utf-8?q?caf=C3=A9_1.jpg?="': "café 1.jpg",
    'filename="=?no-such-charset?q?a?="': "=?no-such-charset?q?a?=",
    "filename*=no-such-charset''a.jpg": "a.jpg",
    'filename="what=?.jpg"': "what=?.jpg",
    "filename*=utf-7''%2B2AA-.jpg": "?.jpg",
}


@pytest.mark.parametrize("form", NAMES)
async def test_a_file_has_the_name_that_its_sender_wrote(client: httpx.AsyncClient, form: str) -> None:
    head = f'--x\r\nContent-Disposition: form-data; name="file"; {form}\r\n\r\n'.encode()
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await client.post("/predict/batch", content=head + JPEG + b"\r\n--x--\r\n", headers=kind)
    assert answer.status_code == 200, answer.text
    assert [item["file"] for item in answer.json()["items"]] == [NAMES[form]]


@pytest.mark.parametrize(
    "kind",
    ["application/x-image", "binary/octet-stream", "application/binary", "image/x-whatever", "application/unknown"],
)
async def test_a_body_of_another_type_is_read_as_the_bytes_of_a_file(client: httpx.AsyncClient, kind: str) -> None:
    answer = await client.post("/predict", content=JPEG, headers={"Content-Type": kind})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("field", ["file", "image", "files", "images[]"])
async def test_the_field_of_a_form_has_one_of_the_usual_names(client: httpx.AsyncClient, field: str) -> None:
    assert (await client.post("/predict", files={field: ("a.jpg", JPEG)})).status_code == 200


ENCODED = {"base64": encodebytes(JPEG), "Quoted-Printable": encodestring(JPEG), "binary": JPEG, "8bit": JPEG}


@pytest.mark.parametrize("encoding", ENCODED)
async def test_a_part_of_a_form_may_be_encoded_for_its_transfer(client: httpx.AsyncClient, encoding: str) -> None:
    head = f'--x\r\nContent-Transfer-Encoding: {encoding}\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for content, status in ((ENCODED[encoding], 200), (b"A" if encoding == "base64" else b"", 422)):
        body = head.encode() + content + b"\r\n--x--\r\n"
        assert (await client.post("/predict", content=body, headers=kind)).status_code == status


BASE64 = {
    "plain": b64encode(JPEG),
    "lines of 76": encodebytes(JPEG),
    "lines of Windows": encodebytes(JPEG).replace(b"\n", b"\r\n"),
    "letters for URLs": urlsafe_b64encode(JPEG),
    "no padding": urlsafe_b64encode(JPEG + b"\0").rstrip(b"="),
    "data: URL": b"data:image/jpeg;base64," + b64encode(JPEG),
    "data: URL with parameters": b"DATA:image/jpeg;name=a.jpg;base64," + b64encode(JPEG),
    "data: URL behind a line break": b"\n data:;base64," + b64encode(JPEG),
    "data: URL, percent-encoded": b"data:;base64," + b64encode(JPEG).replace(b"+", b"%2B").replace(b"=", b"%3D"),
}


@pytest.mark.parametrize("form", BASE64)
async def test_base64_is_read_in_every_usual_form(client: httpx.AsyncClient, form: str) -> None:
    for body in (
        json.dumps({"image": BASE64[form].decode()}).encode(),
        b"\xef\xbb\xbf" + b'{"image": "%s"}' % b64encode(JPEG),
    ):
        answer = await client.post("/predict", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("text", ["a", "***", "äöü=", "data:image/png,%89PNG", "abc=def="])
async def test_what_is_no_base64_is_said_to_be_none(client: httpx.AsyncClient, text: str) -> None:
    answer = await client.post("/predict", json={"image": text})
    assert answer.status_code in (415, 422)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_compressed_body_is_read_whatever_its_type(client: httpx.AsyncClient) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + JPEG + b"\r\n--x--\r\n"
    text = json.dumps({"image": b64encode(JPEG).decode()}).encode()
    bodies = {"image/jpeg": JPEG, "multipart/form-data; boundary=x": form, "application/json": text}
    codings: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
    codings |= {"X-GZIP": gzip.compress, "gzip, identity": gzip.compress}
    for kind, body in bodies.items():
        for coding, compress in codings.items():
            headers = {"Content-Type": kind, "Content-Encoding": coding}
            answer = await client.post("/predict", content=compress(body), headers=headers)
            assert answer.status_code == 200, (kind, coding, answer.text)


@pytest.mark.parametrize("word", ["identity", "", "utf-8", "binary", "base64"])
async def test_a_word_that_is_no_coding_is_passed_over(client: httpx.AsyncClient, word: str) -> None:
    assert (await client.post("/predict", content=JPEG, headers={"Content-Encoding": word})).status_code == 200


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "br, gzip"])
async def test_another_coding_is_named_with_those_that_are_read(client: httpx.AsyncClient, coding: str) -> None:
    answer = await client.post("/predict", content=JPEG, headers={"Content-Encoding": coding})
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "gzip, deflate")
    assert coding in answer.json()["detail"]


async def test_a_compressed_body_is_never_larger_than_any_other(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "image/jpeg", "Content-Encoding": "gzip"}
    bomb = gzip.compress(bytes(30_000_000))
    assert (await client.post("/predict", content=bomb, headers=headers)).status_code == 413
    whole = gzip.compress(JPEG)
    for broken in (JPEG, whole[:-9], whole + b"more", b""):
        answer = await client.post("/predict", content=broken, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:glassbot:problem:invalid-request"), answer.text


FORMS = {
    ".NET": "Content-Disposition: form-data; name=file; filename=a.jpg; filename*=utf-8''a.jpg",
    ".NET with a type": "Content-Type: image/jpeg\r\nContent-Disposition: form-data; name=file; filename=a.jpg",
    "undici": 'Content-Disposition: form-data; name="file"; filename="blob"\r\nContent-Type: application/octet-stream',
    "a field that is no file": 'Content-Disposition: form-data; name="file"',
    "OkHttp": f'Content-Disposition: form-data; name="file"; filename="a"\r\nContent-Length: {len(JPEG)}',
    "Dart": 'content-disposition: form-data; name="file"\r\ncontent-transfer-encoding: binary',
}


@pytest.mark.parametrize("end", ["--\r\n", "--", "--\r\nan epilogue"])
@pytest.mark.parametrize("client_name", FORMS)
async def test_a_form_is_read_as_each_client_writes_it(client: httpx.AsyncClient, client_name: str, end: str) -> None:
    body = f"--a-b_c\r\n{FORMS[client_name]}\r\n\r\n".encode() + JPEG + f"\r\n--a-b_c{end}".encode()
    headers = {"Content-Type": 'multipart/form-data; charset=utf-8; boundary="a-b_c"'}
    assert (await client.post("/predict", content=body, headers=headers)).status_code == 200
