"""Every page is valid HTML, by the checker that the standard's own authors keep (Nu, validator.github.io)."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.gallery import Shown

Gallery = dict[tuple[str, str], Shown]

# What the checker would rather not see, and why we stay with it.
ACCEPTED = {
    # Lists without bullets are no lists to VoiceOver in Safari unless they are said to be.
    "The “list” role is unnecessary for element “ul”.",
    # True of a frame from the page's own origin. Players are of others, and break without their own storage.
    (
        "Potentially bad value “allow-scripts allow-same-origin allow-presentation allow-popups"
        " allow-popups-to-escape-sandbox” for attribute “sandbox” on element “iframe”: Setting both “allow-scripts” and"
        " “allow-same-origin” is not recommended, because it effectively enables an embedded page to break out of all"
        " sandboxing."
    ),
}
WRONG = """<!doctype html>
<html lang="en">
<head><title>Wrong in six ways</title></head>
<body>
<h1 id="once">Once</h1>
<p id="once">Twice</p>
<a href="/">One link <a href="/">in another</a></a>
<p>A paragraph that <div>ends early</div></p>
<button wrong="yes">An attribute that there is not</button>
<img src="/picture.webp">
<label for="nothing">A label of nothing</label>
<details><summary><h2>As it should be</h2></summary><p>Open.</p></details>
</body>
</html>
"""


def check(folder: Path) -> list[str]:
    """What the checker says of all HTML files in the folder, in one process: "name:line: words"."""
    jar = os.environ.get("VNU_JAR")
    if not jar:
        pytest.fail("This test needs the Nu checker. scripts/test fetches it, or VNU_JAR names its vnu.jar.")
    run = subprocess.run(
        ["java", "-Xss8m", "-jar", jar, "--format", "json", "--exit-zero-always", "--stdout", *folder.glob("*.html")],
        capture_output=True,
        text=True,
        check=True,
    )
    messages: list[dict[str, Any]] = json.loads(run.stdout)["messages"]
    return [
        f"{Path(said['url']).stem}:{said.get('lastLine')}: {said['message']}  {said.get('extract', '')!r}"
        for said in messages
        if said["message"] not in ACCEPTED
    ]


def test_every_page_is_valid(shown: Gallery, tmp_path: Path) -> None:
    for (name, language), page in shown.items():
        if page.entry.is_page:
            (tmp_path / f"{language}-{name}.html").write_bytes(page.content)

    said = check(tmp_path)

    assert said == [], "\n".join(said)


def test_the_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "wrong.html").write_text(WRONG, encoding="utf-8")

    lines = {int(said.split(":")[1]) for said in check(tmp_path)}

    assert {6, 7, 8, 9, 10, 11} <= lines
    assert 12 not in lines
