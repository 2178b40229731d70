"""The page in a real browser: skipped where there is none."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from beholder.evaluation.reports import page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((found for name in BROWSERS if (found := shutil.which(name))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(BROWSERS)} is installed"),
]

USE = """
const tools = document.querySelector(".tools"), box = tools.elements;
const found = {};
const look = (name) => {
  tools.dispatchEvent(new Event("input"));
  found[name] = [...document.querySelectorAll(".card:not([hidden]) .name")].map((a) => a.title);
};
look("best");
for (const order of ["worst", "name", "doubt", "input"]) { box.sort.value = order; look(order); }
box.text.value = "BEACH jpg"; look("text"); box.text.value = "";
box.media.value = "video"; look("clips"); box.media.value = "";
box.level[0].checked = false; look("level");
found.count = document.querySelector(".count").textContent;
box.text.value = "nothing like it"; look("nothing");
found.empty = !document.querySelector(".empty").hidden;
box.level[0].checked = true; box.text.value = ""; look("again");
document.querySelector(".name").click();
const dialog = document.querySelector("dialog");
found.open = dialog.open;
found.heading = dialog.querySelector("h2").textContent;
dialog.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
found.next = dialog.querySelector("h2").textContent;
found.touch = dialog.querySelectorAll(".strip rect title").length;
dialog.querySelector(".close").click();
found.closed = !dialog.open;
found.requests = performance.getEntriesByType("resource").map((entry) => entry.name)
  .filter((name) => !name.startsWith("data:"));
const told = document.body.appendChild(document.createElement("pre"));
told.id = "found";
told.textContent = JSON.stringify(found);
"""


def row(path: str, score: float, spread: float, **cells: Any) -> dict[str, Any]:
    level = "good" if score >= 3.5 else "fair"
    known = {"media": "image", "scale": "1-5", "level": level, "task": "quality"}
    return known | {"path": path, "score": score, "spread": spread} | cells


ROWS = [
    row("trip/beach10.jpg", 3.9, 0.5),
    row("trip/beach9.jpg", 4.4, 0.3),
    row(
        "trip/beach.mp4", 4.1, 0.8,
        media="video", seconds=4.0, details={"timeline": [[1.0, 4.2], [3.0, 4.0]]},
    ),
    row("a <b>'\"&.jpg", 2.9, 0.9),
]  # fmt: skip


def browse(path: Path, profile: Path) -> subprocess.CompletedProcess[str]:
    assert BROWSER is not None
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--enable-logging=stderr", f"--user-data-dir={profile}", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def with_script(text: str, script: str) -> str:
    """Append a script to a page and let its policy accept that script as well."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = text.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
    return text.replace("</body>", f"<script>{script}</script></body>")


def test_sorting_filtering_and_the_dialog_work_without_a_complaint_or_a_request(
    tmp_path: Path,
) -> None:
    out = tmp_path / "page.html"
    page.write(out, ROWS, page.About("trip"), lambda _: None)
    out.write_text(with_script(out.read_text(encoding="utf-8"), USE), encoding="utf-8")
    done = browse(out, tmp_path / "profile")
    match = re.search(r'<pre id="found">(.*?)</pre>', done.stdout)
    assert match, done.stderr
    found = json.loads(match[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    ten, nine, clip, odd = (str(one["path"]) for one in ROWS)
    assert found == {
        "best": [nine, clip, ten, odd],
        "worst": [odd, ten, clip, nine],
        "name": [odd, clip, nine, ten],
        "doubt": [odd, clip, ten, nine],
        "input": [ten, nine, clip, odd],
        "text": [ten, nine],
        "clips": [clip],
        "level": [odd],
        "count": "1 of 4 files",
        "nothing": [],
        "empty": True,
        "again": [ten, nine, clip, odd],
        "open": True,
        "heading": "beach10.jpg",
        "next": "beach9.jpg",
        "touch": 0,
        "closed": True,
        "requests": [],
    }
    assert "CONSOLE" not in done.stderr


def test_one_file_needs_no_tools_and_raises_no_complaint(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    page.write(out, ROWS[2:3], page.About("trip"), lambda _: None)
    done = browse(out, tmp_path / "profile")
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count("<title>0.0 s") + done.stdout.count("<title>1.0 s") == 1
