from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path

import pytest

from app import logs
from app.http import site_files
from app.settings import Settings, SettingsError, read_settings


def test_the_environment_chooses_and_an_argument_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSBOT_PORT", "9000")
    assert read_settings().port == 9000
    assert read_settings(port="9001", host=None).port == 9001


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "tcp://10.0.0.1:80"), ("ENGINE", "steam"), ("MAX_BODY_MB", "0"), ("ROOT_PATH", "x/")]
)
def test_a_bad_value_is_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GLASSBOT_{name}", value)
    with pytest.raises(SettingsError, match=rf"^GLASSBOT_{name} cannot be '{value}': [^\n]*\.$"):
        read_settings()


def test_a_misspelt_setting_is_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSBOT_PROT", "1")
    with pytest.raises(SettingsError, match="did you mean GLASSBOT_PORT"):
        read_settings()


@pytest.mark.parametrize("value", ["", " , ", "clef-secr\u00e8te", "secret one"])
def test_keys_that_are_none_end_the_start_and_are_not_repeated(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GLASSBOT_API_KEYS", value)
    with pytest.raises(SettingsError, match=r"^GLASSBOT_API_KEYS cannot be used: [^\n]*\.$") as caught:
        read_settings()
    assert "secr" not in "".join(traceback.format_exception(caught.value))


def test_a_good_key_is_not_told_when_another_setting_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSBOT_API_KEYS", " secret-one,secret-two ,")
    chosen = read_settings()
    assert [key.get_secret_value() for key in chosen.api_keys] == ["secret-one", "secret-two"]
    assert "secret-" not in f"{chosen!r} {chosen} {chosen.model_dump()} {chosen.model_dump_json()}"
    monkeypatch.setenv("GLASSBOT_PORT", "many")
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert "secret-" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", ["example.org", "https://example.org/", "https://*.example.org", "null"])
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert read_settings(cors_origins="https://a.example,http://b:8080, *").cors_origins[-1] == "*"
    monkeypatch.setenv("GLASSBOT_CORS_ORIGINS", value)
    with pytest.raises(SettingsError, match="an origin is"):
        read_settings()


def test_what_others_call_glassbot_is_none_of_our_business(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GLASSBOT_SERVICE_HOST", "GLASSBOT_PORT_8000_TCP", "GLASSBOT_DATA", "GLASSBOT_USER"):
        monkeypatch.setenv(name, "1")
    assert read_settings().port == 8000


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")] == []


def test_logs_are_json_with_the_id_of_their_request() -> None:
    token = logs.request_id.set("r1")
    try:
        record = logging.LogRecord("glassbot", logging.INFO, "", 1, "hello %s", ("you",), None)
        record.facts = {"status": 200}
        line = json.loads(logs.JsonLines().format(record))
        plain = logs.PlainLines("%(message)s").format(record)
    finally:
        logs.request_id.reset(token)
    assert (line["message"], line["request_id"], line["status"], line["level"]) == ("hello you", "r1", 200, "info")
    assert plain == "hello you request_id=r1 status=200"


def test_the_page_is_found_from_any_folder_and_in_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    site_files.web_root.cache_clear()
    assert (site_files.web_root() / "templates" / "see.html").is_file()
    for name in ("templates", "static"):
        (tmp_path / "app" / "_web" / name).mkdir(parents=True)
    monkeypatch.setattr(site_files, "PACKAGE", tmp_path / "app")
    site_files.web_root.cache_clear()
    assert site_files.web_root() == tmp_path / "app" / "_web"
    monkeypatch.setattr(site_files, "PACKAGE", tmp_path / "elsewhere")
    site_files.web_root.cache_clear()
    with pytest.raises(FileNotFoundError):
        site_files.web_root()
    monkeypatch.undo()
    site_files.web_root.cache_clear()
