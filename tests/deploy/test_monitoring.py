"""What Prometheus asks for and Grafana shows is there: every metric, and every place."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from app.main import create_app
from app.settings import Settings
from benchmarks.fleet import ENVIRONMENT, Fleet, gateway
from benchmarks.servers import ROOT
from tests.deploy.conftest import with_haproxy
from tests.tiny import tiny_network

DEPLOY = ROOT / "deploy"
DASHBOARD = DEPLOY / "grafana/dashboards/glassbot.json"
ADAPTER = DEPLOY / "k8s/overlays/queue-time/adapter-values.yaml"
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"], "gauge": [""]}
METRIC = re.compile(r"\b(?:glassbot|process|haproxy)_\w+")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def queries() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    [rule] = read(ADAPTER)["rules"]["custom"]
    yield from (rule["seriesQuery"], rule["metricsQuery"])


def test_every_metric_of_the_service_that_is_asked_for_is_exported() -> None:
    families = create_app(Settings(), tiny_network(input_size=67)).state.metrics.registry.collect()
    exported = {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}
    asked = {name for query in queries() for name in METRIC.findall(query) if not name.startswith("haproxy_")}
    assert asked - exported == set()
    assert {"glassbot_queue_seconds_bucket", "glassbot_batch_size_sum", "glassbot_rejected_total"} <= asked
    assert {"glassbot_request_seconds_bucket", "glassbot_sentences_total"} <= asked


@with_haproxy
def test_every_metric_of_the_gateway_that_is_asked_for_is_exported(tmp_path: Path) -> None:
    with Fleet(tmp_path / "no network", tmp_path) as nobody, gateway(nobody, tmp_path) as running:
        address = f"http://127.0.0.1:{running.metrics_port}/metrics?no-maint"
        text = httpx.get(address, trust_env=False, timeout=60).text
    asked = {name for query in queries() for name in METRIC.findall(query) if name.startswith("haproxy_")}
    assert asked
    assert {name for name in asked if not re.search(rf"^{name}{{", text, re.MULTILINE)} == set()


def test_the_autoscaler_asks_for_the_metric_that_the_adapter_makes() -> None:
    [rule] = read(ADAPTER)["rules"]["custom"]
    metric = read(ADAPTER.with_name("autoscaler.yaml"))["spec"]["metrics"][0]["pods"]
    assert rule["name"]["as"] == metric["metric"]["name"]
    assert rule["seriesQuery"].startswith(rule["name"]["matches"])
    assert metric["target"]["averageValue"] == f"{Settings().max_wait_ms / 3:g}m"


def test_prometheus_and_grafana_find_each_other_and_what_they_show() -> None:
    services = read(ROOT / "docker-compose.yml")["services"]
    for job in read(DEPLOY / "prometheus/prometheus.yml")["scrape_configs"]:
        for one in job.get("dns_sd_configs", []):
            assert set(one["names"]) <= set(services)
        for one in job.get("static_configs", []):
            assert {target.split(":")[0] for target in one["targets"]} <= set(services)
    [source] = read(DEPLOY / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"].removeprefix("http://").split(":")[0] in services
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_what_compose_mounts_into_containers_is_there() -> None:
    for name, service in read(ROOT / "docker-compose.yml")["services"].items():
        for volume in service.get("volumes", []):
            if volume.startswith("./deploy/"):
                assert (ROOT / volume.split(":")[0]).exists(), name
    [provider] = read(DEPLOY / "grafana/provisioning/dashboards/glassbot.yml")["providers"]
    mounted = [volume.split(":")[1] for volume in read(ROOT / "docker-compose.yml")["services"]["grafana"]["volumes"]]
    assert provider["options"]["path"] in mounted


def test_compose_starts_only_the_service_where_nothing_else_is_asked_for() -> None:
    services = read(ROOT / "docker-compose.yml")["services"]
    assert [name for name, service in services.items() if not service.get("profiles")] == ["glassbot"]
    app, glassbot = services["app"], services["glassbot"]
    assert {name for name in {**app, **glassbot} if app.get(name) != glassbot.get(name)} == {
        "ports",
        "profiles",
        "environment",
    }
    assert app["environment"] == ENVIRONMENT, "what the tests of the gateway run with"
    assert {services[name]["profiles"][0] for name in ("app", "gateway")} == {"gateway"}
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert ":" in service["image"], name
        assert not service["image"].endswith(":latest"), name


def test_promtool_takes_the_configuration() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: it comes with Prometheus")
    command = ["promtool", "check", "config", str(DEPLOY / "prometheus/prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
