"""Functions: what the page's scripts and programs call, by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple

from edge_app.digits.collection import Collection, keepers
from edge_app.explanation.explanation import explain_drawing
from edge_app.models.answers import answer_drawing
from edge_app.models.classifier import Classifier
from edge_app.page.api import Function, classifier, explainer
from edge_app.page.classroom import Classroom, viewers
from edge_app.page.photos import photo_functions
from edge_app.page.tabs.content import Sheet, Sheets
from edge_app.page.threads import Threads

WAITING = 32
"""How many drawings may wait to be stored, and tabs to be read."""
EXPLAINING = 32
"""How many answers may wait to be explained; a whole class may ask at once."""


class Functions(NamedTuple):
    """All functions, by the names by which they are called."""

    canvas: Mapping[str, Function]
    tabs: Mapping[str, Function]
    api: Mapping[str, Function]
    drawings: Callable[[], AsyncIterator[bytes]] | None = None
    """Gives the stored drawings for a download; None if none are stored."""


def page_functions(
    models: Mapping[str, Classifier],
    variant: str,
    collection: Collection | None,
    sheets: Sheets,
    *,
    private: bool = False,
) -> Functions:
    """Build the functions; the arguments are those of :func:`edge_app.server.server.serve`, and
    whether callers are logged in: they may remove drawings."""
    # Memory cards are slow, and some tabs take a moment to read.
    threads = Threads(2, WAITING)
    # One at a time: whoever draws comes first.
    explaining = Threads(1, EXPLAINING)

    def in_thread(function: Callable[[object], Any]) -> Function:
        @wraps(function)  # Gradio tells the page its name.
        async def run(data: object) -> Any:
            return await threads.run(function, data)

        return run

    async def answer(state: object) -> dict[str, Any]:
        """Called by the canvas. Quick enough for the event loop; a thread would cost more."""
        if room:
            room.wait()
        return answer_drawing(models, state, variant)

    async def explain(state: object) -> dict[str, Any]:
        """Called by the canvas when somebody asks why."""
        return dict(await explaining.run(explain_drawing, models, state))

    def sheet(name: object) -> Sheet | None:
        read = sheets.get(name) if isinstance(name, str) else None
        return read() if read else None

    photo, read = photo_functions(models)
    stores = keepers(collection) if collection else ()
    room = Classroom(models, variant, collection) if collection else None
    views = viewers(room, removable=private) if room else ()
    return Functions(
        canvas={
            "answer": answer,
            "explain": explain,
            "photo": photo,
            **{each.__name__: in_thread(each) for each in stores},
        },
        tabs={"sheet": in_thread(sheet), **{each.__name__: each for each in views}},
        api={
            "classify": classifier(models),
            "explain": explainer(models, explaining),
            "read": read,
        },
        drawings=room.lines if room else None,
    )
