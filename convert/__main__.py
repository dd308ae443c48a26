"""``python -m convert``: reports how the command ended, from its first import on."""

from __future__ import annotations

import sys

from edge_app.errors import exit_status


def _run() -> None:
    from convert.command import main

    main()


if __name__ == "__main__":
    sys.exit(exit_status("convert", _run))
