"""The forms in which clients send a picture and its name."""

from __future__ import annotations

import json
from base64 import b64encode, encodebytes, urlsafe_b64encode
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
