"""The benchmark of the page runs, and checks that the page is drawn."""

from __future__ import annotations

import pytest

from benchmarks import page
from model.checkpoint import PRETRAINED


@pytest.mark.browser
@pytest.mark.skipif(not PRETRAINED.is_file(), reason="no network is shipped")
def test_the_time_ends_when_every_layer_is_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    report = page.run(1, 1)
    assert report["n"] == 1
    (drawn,), (painted,) = report["ms"]["drawn"], report["ms"]["painted"]
    assert 0 < drawn < painted
    page.show(report)
    output = capsys.readouterr().out
    assert f"{painted:.0f} ms" in output
    assert "≤ 300 ms" in output
    (slow,) = report["slow"]
    assert 0 < slow["sentence"] < slow["maps"]
    assert 1_500_000 < slow["sent"] < 1_700_000  # the photo, once
    assert "bytes of photo sent" in output
