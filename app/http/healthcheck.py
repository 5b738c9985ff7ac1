"""``python -m app.http.healthcheck``: whether the service in this container, with its settings, is ready."""

from __future__ import annotations

import sys

import httpx

from app.settings import SettingsError, read_settings

_SECONDS = 2.0


def main() -> int:
    """Ask ``/readyz`` at the address that the settings name, never by way of a proxy. Returns 0 where it is ready."""
    try:
        settings = read_settings()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host  # 0.0.0.0 and :: are this machine, too
        with httpx.Client(trust_env=False, timeout=_SECONDS) as client:
            answer = client.get(f"http://{host}:{settings.port}/readyz")
    except (SettingsError, httpx.HTTPError) as error:
        print(f"not ready: {error}", file=sys.stderr)
        return 1
    print(answer.text)
    return 0 if answer.status_code == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
