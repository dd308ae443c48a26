"""Visits: what browsers and programs send that use the app as intended."""

from __future__ import annotations

from random import Random

from tests.attack import drawings, pictures
from tests.attack.attempts import EVENT, Attempt, Target, get, page_call, post


def drawing(random: Random, target: Target) -> list[Attempt]:
    """The page asks about a drawing."""
    drawn = drawings.valid(random)
    state = {"strokes": drawn["strokes"], "variant": random.choice(drawings.VARIANTS)}
    call = page_call(target, "answer", state)
    return [Attempt("drawing", post(target, "component_server", call))]


def page(random: Random, target: Target) -> list[Attempt]:
    """The page, or one of its files."""
    always = ("/", "/config", "/gradio_api/info", "/theme.css", "/favicon.ico", "/manifest.json")
    path = random.choice(always if random.random() < 0.1 else (target.assets or always))
    return [Attempt("page", get(target, path))]


def tab(random: Random, target: Target) -> list[Attempt]:
    """A tab's sheet, or the stored drawings."""
    if random.random() < 0.2:
        call = page_call(target, "classroom", {"digit": random.choice([None, 3]), "page": 0})
        return [Attempt("tab", post(target, "component_server/", call))]
    call = page_call(target, "sheet", random.choice(["models", "device", "benchmark", "none"]))
    return [Attempt("tab", post(target, "component_server/", call))]


def saving(random: Random, target: Target) -> list[Attempt]:
    """A drawing to store, or how many are."""
    stored = random.random() < 0.5
    call = page_call(target, "stored" if stored else "save", drawings.valid(random))
    return [Attempt("saving", post(target, "component_server", call))]


def why(random: Random, target: Target) -> list[Attempt]:
    """The page asks why a model reads a drawing so."""
    drawn, variant = drawings.valid(random)["strokes"], random.choice(drawings.VARIANTS)
    state = {"strokes": drawn, "variant": variant, "model": random.choice(["dense", "mlp", "cnn"])}
    return [Attempt("why", post(target, "component_server", page_call(target, "explain", state)))]


def photo(random: Random, target: Target) -> list[Attempt]:
    """The page sends a photo."""
    state = {"image": random.choice(pictures.photos()), "variant": "int8"}
    return [Attempt("photo", post(target, "component_server", page_call(target, "photo", state)))]


def api(random: Random, target: Target) -> list[Attempt]:
    """A call of the API in any of its forms; the answer is fetched."""
    drawn, variant = drawings.valid(random)["strokes"], random.choice(drawings.VARIANTS)
    values = [drawn, variant, None] if random.random() < 0.9 else [None, variant, picture(random)]
    named = dict(zip(("strokes", "variant", "image"), values, strict=True))
    form = random.choice(("run", "run", "run", "run", "api", "call", "call/v2", "queue"))
    if form in {"run", "api"}:
        sent, fetch = post(target, f"{form}/classify", {"data": values}), b""
    elif form == "queue":
        session = f"{random.getrandbits(64):x}"
        call = {"data": values, "fn_index": 0, "session_hash": session, "trigger_id": None}
        sent = post(target, "queue/join", call)
        fetch = f"/gradio_api/queue/data?session_hash={session}".encode()
    else:
        content = named if form == "call/v2" else {"data": values}
        sent, fetch = (
            post(target, f"{form}/classify", content),
            b"/gradio_api/call/classify/" + EVENT,
        )
    return [Attempt("API", sent, fetch=fetch)]


def picture(random: Random) -> str:
    """Mostly small."""
    return pictures.valid(random, random.choices((20, 90, 400, 2000), (60, 30, 8, 2))[0])
