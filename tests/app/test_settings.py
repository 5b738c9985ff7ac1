from __future__ import annotations

import json
import logging
import re
import traceback
from pathlib import Path

import pytest

from app import logs
from app.http import site_files
from app.http.server import Server
from app.main import create_app
from app.settings import Settings, SettingsError, deprecated_variables, deprecation_warnings, read_settings
from app.settings.__main__ import as_markdown
from model.checkpoint import Checkpoint
from tests.app.server import ROOT

UNITS = {"seconds": "_seconds", "milliseconds": "_ms", "megabytes": "_mb", "megapixels": "_mpx"}
"""The suffix of a setting's name, by the unit in its description."""
COUNTS = {
    "port",
    "threads",
    "workers",
    "decode_threads",
    "max_batch_files",
    "max_batch",
    "max_in_flight",
    "cache_pictures",
    "cache_outputs",
}
"""The numeric settings that have no unit."""


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
def test_keys_that_cannot_be_used_end_the_start_and_are_not_repeated(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("GLASSBOT_API_KEYS", value)
    with pytest.raises(SettingsError, match=r"^GLASSBOT_API_KEYS cannot be used: [^\n]*\.$") as caught:
        read_settings()
    assert "secr" not in "".join(traceback.format_exception(caught.value))


def test_a_good_key_is_not_repeated_when_another_setting_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_variables_of_other_programs_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GLASSBOT_SERVICE_HOST", "GLASSBOT_PORT_8000_TCP", "GLASSBOT_DATA", "GLASSBOT_USER"):
        monkeypatch.setenv(name, "1")
    assert read_settings().port == 8000


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not (field.description or "").endswith(".")] == []


def test_a_numeric_setting_has_the_suffix_of_its_unit_or_counts_something() -> None:
    numeric = {name: field for name, field in Settings.model_fields.items() if field.annotation in (int, float)}
    assert set(COUNTS) <= set(numeric)
    for name, field in numeric.items():
        suffixes = {UNITS[word] for word in re.findall(r"\w+", field.description or "") if word in UNITS}
        assert suffixes == (set() if name in COUNTS else {f"_{name.rsplit('_', 1)[-1]}"}), name


@pytest.mark.parametrize(("old", "new"), deprecated_variables().items())
def test_a_deprecated_variable_still_works_is_warned_of_and_gives_way_to_the_new_one(
    monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    field = new.removeprefix("GLASSBOT_").lower()
    assert deprecation_warnings() == []
    monkeypatch.setenv(old, "3")
    assert getattr(read_settings(), field) == 3
    assert getattr(read_settings(**{field: 5}), field) == 5
    assert deprecation_warnings() == [
        f"{old} is deprecated and will be removed in the next release: set {new} instead."
    ]
    monkeypatch.setenv(old, "-1")
    with pytest.raises(SettingsError, match=rf"^{old} cannot be '-1': "):
        read_settings()
    monkeypatch.setenv(new, "4")
    assert getattr(read_settings(), field) == 4
    monkeypatch.setenv(field.upper(), "6")  # without our prefix it is not ours
    assert getattr(read_settings(), field) == 4


def test_the_old_names_of_renamed_settings_are_documented_as_deprecated() -> None:
    assert deprecated_variables() == {
        "GLASSBOT_DEADLINE_S": "GLASSBOT_DEADLINE_SECONDS",
        "GLASSBOT_UPLOAD_S": "GLASSBOT_UPLOAD_SECONDS",
    }
    deprecated = as_markdown().split("## Deprecated names")[1]
    assert "| `GLASSBOT_DEADLINE_S` | `GLASSBOT_DEADLINE_SECONDS` |" in deprecated


def test_docker_compose_waits_for_the_longest_request_and_for_the_engine(network: Checkpoint) -> None:
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    [drain] = re.findall(r'GLASSBOT_DRAIN_SECONDS: "(\d+)"', compose)
    [grace] = re.findall(r"stop_grace_period: (\d+)s\n", compose)
    settings = Settings(drain_seconds=float(drain))
    server = Server(create_app(settings, network), settings, lambda: None)
    assert server.config.timeout_graceful_shutdown == settings.longest_request_seconds == 41
    assert settings.longest_stop_seconds == float(drain) + 41
    assert 2 <= int(grace) - settings.longest_stop_seconds <= 10, "seconds for the engine to end"


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


@pytest.mark.parametrize(("given", "prefix"), [("/glassbot/", "/glassbot"), ("/a/b", "/a/b"), ("/", ""), ("", "")])
def test_a_prefix_may_end_with_a_slash(given: str, prefix: str) -> None:
    assert read_settings(root_path=given).root_path == prefix
