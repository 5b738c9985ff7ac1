"""The manifests for Kubernetes fit its published schemas, each other and the service."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app.http.routes import health
from app.settings import Settings
from benchmarks.servers import ROOT

FOLDER = ROOT / "deploy/k8s"
OVERLAYS = sorted(FOLDER.glob("overlays/*"))
FOLDERS = [FOLDER / "base", *OVERLAYS]
NEWEST = str(kubernetes_validate.latest_version())
OLDEST = "1.31"
NOT_OF_A_POD = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "labels"}
"""What KServe's predictor says beside the specification of its pods."""

Manifest = dict[str, Any]


def read(path: Path) -> Manifest:
    manifest: Manifest = yaml.safe_load(path.read_text("utf-8"))
    return manifest


def base(name: str) -> Manifest:
    return read(FOLDER / "base" / f"{name}.yaml")


def same(manifest: Manifest) -> tuple[str, str, str]:
    return manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"]


def resources(folder: Path) -> list[Path]:
    """The files that a kustomization puts together, those of the folders that it names included."""
    paths = [(folder / name).resolve() for name in read(folder / "kustomization.yaml")["resources"]]
    return [file for path in paths for file in (resources(path) if path.is_dir() else [path])]


def patches(folder: Path) -> list[Path]:
    return [folder / patch["path"] for patch in read(folder / "kustomization.yaml").get("patches", [])]


def check(manifest: Manifest, version: str) -> None:
    """Raises ValidationError, which names the field. KServe's own schema is in no package, so its pods are checked."""
    if manifest["kind"] == "InferenceService":
        predictor = manifest["spec"]["predictor"]
        spec = {name: value for name, value in predictor.items() if name not in NOT_OF_A_POD}
        manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": manifest["metadata"], "spec": spec}
    kubernetes_validate.validate(manifest, version, strict=True)


def pod_of(manifest: Manifest) -> Manifest:
    spec = (
        manifest["spec"]["predictor"]
        if manifest["kind"] == "InferenceService"
        else manifest["spec"]["template"]["spec"]
    )
    found: Manifest = spec
    return found


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_resource_fits_the_published_schemas_strictly(folder: Path, version: str) -> None:
    for path in resources(folder):
        check(read(path), version)


def test_a_misspelt_field_does_not_fit() -> None:
    wrong = base("deployment")
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        check(wrong, NEWEST)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_kustomization_names_only_what_is_there_and_everything_that_is(folder: Path) -> None:
    together = resources(folder)
    names = [same(read(path)) for path in together]
    assert len(set(names)) == len(names)
    for patch in patches(folder):
        assert same(read(patch)) in names, patch
    used = {folder / "kustomization.yaml", folder / "adapter-values.yaml", *together, *patches(folder)}
    assert set(folder.iterdir()) <= used


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_kustomize_builds_what_fits_the_published_schemas(folder: Path) -> None:
    if shutil.which("kustomize"):
        command = ["kustomize", "build"]
    elif shutil.which("kubectl"):
        command = ["kubectl", "kustomize"]
    else:
        pytest.skip("neither kustomize nor kubectl is installed")
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-600:]
    built = list(yaml.safe_load_all(done.stdout))
    removed = [same(read(path)) for path in patches(folder) if read(path).get("$patch") == "delete"]
    assert {same(one) for one in built} == {same(read(path)) for path in resources(folder)} - set(removed)
    for one in built:
        check(one, NEWEST)


def test_the_autoscaler_alone_says_how_many_replicas_there_are() -> None:
    deployment = base("deployment")
    assert "replicas" not in deployment["spec"]
    target = base("autoscaler")["spec"]["scaleTargetRef"]
    assert (target["apiVersion"], target["kind"], target["name"]) == same(deployment)
    by_queue = read(FOLDER / "overlays/queue-time/autoscaler.yaml")
    assert same(by_queue) == same(base("autoscaler"))
    assert by_queue["spec"]["metrics"][1:] == base("autoscaler")["spec"]["metrics"], "processor time stays the fallback"


def test_all_that_selects_pods_selects_those_of_the_deployment() -> None:
    labels = base("deployment")["spec"]["template"]["metadata"]["labels"]
    assert base("deployment")["spec"]["selector"]["matchLabels"] == labels
    assert base("service")["spec"]["selector"] == labels
    assert base("disruption-budget")["spec"]["selector"]["matchLabels"] == labels
    assert base("network-policy")["spec"]["podSelector"]["matchLabels"] == labels
    kserve = read(FOLDER / "overlays/kserve/inference-service.yaml")
    assert kserve["spec"]["predictor"]["labels"] == labels


def test_kserve_runs_the_same_pod() -> None:
    ours = pod_of(base("deployment"))
    theirs = pod_of(read(FOLDER / "overlays/kserve/inference-service.yaml"))
    [mine], [other] = ours["containers"], theirs["containers"]
    for field in ("image", "env", "resources", "securityContext", "volumeMounts"):
        assert mine[field] == other[field], field
    for field in ("securityContext", "volumes", "terminationGracePeriodSeconds", "automountServiceAccountToken"):
        assert ours[field] == theirs[field], field
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        port = {"port": other["ports"][0]["containerPort"]}
        assert other[probe] == {**mine[probe], "httpGet": {**mine[probe]["httpGet"], **port}}


def test_pods_run_as_nobody_on_a_file_system_that_they_cannot_write() -> None:
    pod = pod_of(base("deployment"))
    [container] = pod["containers"]
    user = pod["securityContext"]["runAsUser"]
    assert f"useradd --uid {user} " in (ROOT / "Dockerfile").read_text("utf-8")
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_pod_is_given_the_time_that_it_needs_to_end() -> None:
    pod = pod_of(base("deployment"))
    [container] = pod["containers"]
    environment = {one["name"]: one["value"] for one in container["env"]}
    drain = float(environment["GLASSBOT_DRAIN_SECONDS"])
    settings = Settings(drain_seconds=drain, threads=int(environment["GLASSBOT_THREADS"]))
    assert 2 <= pod["terminationGracePeriodSeconds"] - settings.longest_stop_seconds <= 10
    ready = container["readinessProbe"]
    assert ready["failureThreshold"] * (ready["periodSeconds"] + ready["timeoutSeconds"]) <= drain
    assert str(settings.threads) == container["resources"]["requests"]["cpu"]


def test_probes_and_ports_are_those_of_the_service() -> None:
    [container] = pod_of(base("deployment"))["containers"]
    asked = {
        probe: container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    paths = {getattr(route, "path", "") for route in health.router.routes}
    assert set(asked.values()) <= paths
    assert asked["readinessProbe"] == "/readyz"
    [port] = container["ports"]
    assert f"GLASSBOT_PORT={port['containerPort']}" in (ROOT / "Dockerfile").read_text("utf-8")
    [allowed] = base("network-policy")["spec"]["ingress"][0]["ports"]
    assert allowed["port"] == port["containerPort"]
    assert base("service")["spec"]["ports"][0]["targetPort"] == port["name"]
