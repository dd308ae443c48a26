"""The stored drawings of a running app: who may see and remove them, and what many of them cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import App, call, get, start, until
from edge_app.digits.labelled import LabelledDrawing, format_line, read_json_lines

pytestmark = pytest.mark.slow

MANY = 30_000
SEVEN = [[[10, 10], [90, 10], [40, 100]]]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, drawings_file: Path) -> Iterator[App]:
    """The app with 30,000 drawings, all of them different, in 50 MB."""
    folder = tmp_path_factory.mktemp("many")
    drawn = read_json_lines(drawings_file)
    with (folder / "drawings.jsonl").open("w") as file:
        for number in range(MANY):
            drawing = drawn[number % 10]
            # As long as those of a fast pen, and each with a first point of its own.
            strokes = [drawing.strokes[0].copy(), *drawing.strokes[1:]]
            strokes[0][0] = number % 200, number // 200
            file.write(format_line(LabelledDrawing(drawing.label, strokes * 2)))
    with start(folder, "--save-drawings", folder / "drawings.jsonl") as running:
        yield running


def resident(app: App) -> int:
    """The memory that the app takes, in bytes."""
    status = Path(f"/proc/{app.process.pid}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def look(app: App, **request: Any) -> dict[str, Any]:
    seen = call(app, "tabs", "classroom", request).json()
    assert isinstance(seen, dict)
    return seen


def test_30_000_drawings_are_seen_at_once_and_classified_in_little_memory(many: App) -> None:
    seen = look(many)
    assert seen["count"] == MANY
    assert seen["pages"] == MANY // 48
    assert len(json.dumps(seen)) < 100_000
    until(lambda: call(many, "tabs", "progress", {}).json()["classified"] > 20)
    later = look(many, digit=3, page=10)
    assert 20 < later["classified"] <= MANY
    assert later["digits"] == [MANY // 10] * 10
    assert sum(model["read"] for model in later["models"]) > 60
    answer = call(many, "canvas", "answer", {"strokes": SEVEN, "variant": "int8"}).json()
    assert answer["answers"]["mlp"]["digit"] == 7
    downloaded = get(f"{many.url}/drawings.jsonl")
    assert downloaded.headers["content-disposition"] == 'attachment; filename="drawings.jsonl"'
    assert downloaded.content == (many.folder / "drawings.jsonl").read_bytes()
    assert resident(many) < 256 * 10**6


def test_without_a_login_nothing_can_be_removed(many: App) -> None:
    [first, *_] = look(many)["drawings"]
    refused = call(many, "tabs", "discard", {"id": first["id"]})
    assert refused.status_code == 404
    assert "There is no function 'discard'" in refused.json()["error"]
    assert not look(many)["removable"]
    assert look(many)["count"] == MANY


def test_it_stops_while_it_classifies(tmp_path: Path, drawings_file: Path) -> None:
    file = tmp_path / "drawings.jsonl"
    lines = drawings_file.read_text().splitlines()
    # A field more in each line makes it another drawing.
    more = [f'{line[:-1]}, "number": {n}}}\n' for n in range(900) for line in lines]
    file.write_text("".join(more))
    with start(tmp_path, "--save-drawings", file) as app:
        assert look(app)["count"] == 9000
        until(lambda: call(app, "tabs", "progress", {}).json()["classified"] > 0)
        assert app.stop() == 0
        errors = app.printed("stderr").splitlines()
    assert [line for line in errors if line and not line.startswith("INFO: ")] == []


def test_a_browser_may_ask_whether_there_is_a_download(many: App) -> None:
    answer = httpx.head(f"{many.url}/drawings.jsonl", trust_env=False)
    assert answer.status_code == 200
    assert answer.content == b""


def test_without_stored_drawings_there_is_nothing_to_see_or_download(app: App) -> None:
    assert call(app, "tabs", "classroom", {}).status_code == 404
    found = get(f"{app.url}/drawings.jsonl")
    assert found.status_code == 404
    assert "--save-drawings" in found.json()["error"]


def test_who_is_logged_in_sees_and_removes_and_nobody_else(
    tmp_path: Path, drawings_file: Path
) -> None:
    users, file = tmp_path / "users.txt", tmp_path / "drawings.jsonl"
    users.touch(mode=0o600)
    users.write_text("anna:password\n")
    file.write_bytes(drawings_file.read_bytes())
    with (
        start(tmp_path, "--auth-file", users, "--save-drawings", file) as locked,
        httpx.Client(trust_env=False, base_url=locked.url) as visitor,
    ):

        def ask(function: str, data: object) -> httpx.Response:
            content = {"component_id": 1, "fn_name": function, "data": data, "session_hash": "x"}
            return visitor.post("/gradio_api/component_server/", json=content)

        for function in ("classroom", "progress", "discard"):
            assert ask(function, {"id": f"0-{16 * '0'}"}).status_code == 401
        assert visitor.get("/drawings.jsonl").status_code == 401
        visitor.post("/login", data={"username": "anna", "password": "password"})
        seen = ask("classroom", {"digit": 4}).json()
        assert seen["removable"]
        assert ask("discard", {"id": seen["drawings"][0]["id"]}).json() == {"count": 9}
        left = visitor.get("/drawings.jsonl").text
    labels = [json.loads(line)["label"] for line in left.splitlines()]
    assert labels == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert [each.label for each in read_json_lines(file)] == labels
