"""The locks: what pip installs is what ``pyproject.toml`` names, by hash.

``.ci/lock --check`` compares the rest with the package index.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

EDGE, DEV = "requirements-edge.txt", "requirements-dev.txt"


def locked(path: Path) -> dict[str, str]:
    """The hashes of each version that a lock pins, as text."""
    name, *rest = re.split(r"^([a-z0-9-]+==\S+)", path.read_text("utf-8"), flags=re.MULTILINE)
    assert "--only-binary :all:" in name, "pip would build what has no wheel, without hashes"
    return dict(zip(rest[::2], rest[1::2], strict=True))


@pytest.mark.parametrize("lock", [EDGE, DEV])
def test_a_lock_has_the_versions_that_the_project_names(lock: str, root: Path) -> None:
    source = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    pins = source["project"]["dependencies"]
    if lock == DEV:
        pins += source["dependency-groups"]["dev"]
    named = {pin.partition(" ")[0].replace("_", "-") for pin in pins}
    assert named - locked(root / lock).keys() == set(), "run: .ci/lock"


@pytest.mark.parametrize("lock", [EDGE, DEV])
def test_every_package_in_a_lock_has_hashes_and_no_address(lock: str, root: Path) -> None:
    assert [pin for pin, text in locked(root / lock).items() if "--hash=sha256:" not in text] == []
    assert "://" not in (root / lock).read_text("utf-8")


def test_the_tests_run_on_the_versions_of_the_edge(root: Path) -> None:
    assert locked(root / EDGE).keys() <= locked(root / DEV).keys()
