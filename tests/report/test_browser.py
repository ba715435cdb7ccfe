"""The page in Debian's Chromium: nothing leaves it, nothing runs in it, and axe-core finds no serious fault.

Needs chromium, node, and ``npm install`` of package.json in this folder; `.ci/run` sees to all three. Pictures are
kept in ``tests/report/pictures`` for the CI to keep, and for people to look at.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.report.page import page
from tests.report.documents import hostile, mixed, promoted

pytestmark = pytest.mark.services
HERE = Path(__file__).parent
PICTURES = HERE / "pictures"


@pytest.fixture(scope="module")
def look() -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    chromium, node = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("node")
    if chromium is None or node is None:
        pytest.skip(f"{'chromium' if chromium is None else 'node'} is not installed here: .ci/run installs it")
    if not (HERE / "node_modules" / "axe-core").is_dir():
        pytest.skip("axe-core is not installed here: `npm ci` in tests/report, as .ci/run does")

    def looked(name: str, document: dict[str, Any]) -> dict[str, Any]:
        place = PICTURES / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        file = place / "report.html"
        file.write_text(page(document), encoding="utf-8")
        command = [node, str(HERE / "look.cjs"), str(HERE), chromium, str(file), str(place)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert ran.returncode == 0, ran.stderr
        seen: dict[str, Any] = json.loads(ran.stdout)
        return seen

    return looked


@pytest.mark.parametrize("made", [promoted, mixed, hostile])
def test_the_page_in_a_browser(made: Any, look: Any) -> None:
    seen = look(made.__name__, made())
    file = (PICTURES / made.__name__ / "report.html").as_uri()
    assert set(seen["requests"]) <= {file, "data:,"}
    assert seen["console"] == []
    assert [one for one in seen["faults"] if one["impact"] in ("serious", "critical")] == []
    for one in seen["looks"]:
        assert one["hit"] is None
        assert one["checked"] > 20, "axe-core did not look"
        assert one["overflow"] <= 0, f"{one['name']} must be scrolled sideways"
        assert one["first"] in ("A", "SUMMARY")
    pictures = {path.name: path.stat().st_size for path in (PICTURES / made.__name__).iterdir()}
    assert set(pictures) == {
        "report.html",
        "print.pdf",
        *(f"{size}-{scheme}.png" for size in ("desktop", "phone") for scheme in ("light", "dark")),
    }
    assert min(pictures.values()) > 5_000


def test_the_look_sees_what_a_page_must_not_do(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with a script, a request, low contrast and an unnamed picture is caught, so the check above can fail."""
    bad = (
        "<!doctype html><html><title>x</title><style>p{color:#ccc;background:#fff}</style><body><p>hard to read</p>"
        '<img src="http://127.0.0.1:9/x.png"><script>window.hit = 1; console.error("said")</script>'
    )
    monkeypatch.setattr("tests.report.test_browser.page", lambda _: bad)
    seen = look("bad", {})
    assert "http://127.0.0.1:9/x.png" in seen["requests"]
    assert any("said" in one for one in seen["console"])
    assert {"color-contrast", "html-has-lang", "image-alt"} <= {one["id"] for one in seen["faults"]}
    assert all(one["hit"] == 1 for one in seen["looks"])
    shutil.rmtree(PICTURES / "bad")
