"""Nonsense: well-formed HTTP with wrong paths, headers, documents, drawings or pictures."""

from __future__ import annotations

import json
import re
from random import Random
from urllib.parse import quote, urlencode

from tests.attack import documents, drawings, pictures, visits
from tests.attack.attempts import Attempt, Target, page_call, post, request
from tests.attack.drawings import MAX_BODY

_METHODS = (b"GET", b"POST", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"QUERY")
_SEGMENTS = (
    *("..", "../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%00"),
    *("%252e%252e%252f", "....//", "%c0%ae%c0%ae/", "..;/", "\\..\\", "/etc/passwd", "//", "%ff"),
    *(
        "http://127.0.0.1:1/",
        "https:%2f%2fexample.org",
        "nope",
        "classify",
        "read",
        "answer",
        "a" * 300,
    ),
    *("a/" * 90, "%0d%0aX: y", "é", "%F0%9F%98%80", "%ED%A0%80", "0", "-1", "None", "NaN", "*"),
    *("~root", ".env", "con", "{}", "{path}", "<script>", "'--", "%", "%zz", "con.css", "index.js"),
)
_NAMES = ("session_hash", "page", "view", "all_session", "logs", "__theme", "deep_link", "__sign")
_VALUES = (
    *(
        "x",
        "",
        "NaN",
        "\0",
        "../..",
        "a" * 5000,
        "é",
        "\ud83d",
        "0",
        "[]",
        "true",
        "false",
        "light",
    ),
)
_FUNCTIONS = ["sheet", "save", "photo", "classroom", "progress", "discard", "x"]
_HEADERS: dict[bytes, tuple[bytes, ...]] = {
    b"host": (
        *(b"", b"evil.com", b"127.0.0.1:99999999", b"[::1", b"127.0.0.1@evil.com", b"0x7f.1"),
        *(b"localhost.", b"LOCALHOST", b"a" * 5000, b"\xff\xfe", b"127.0.0.1, evil.com", b":80"),
        *(
            b"[::ffff:127.0.0.1]",
            b"127.1",
            b"2130706433",
            b"localhost/..",
            b"1.1.1.1:" + b"9" * 5000,
        ),
    ),
    b"origin": (b"null", b"http://evil.com", b"http://", b"file://", b"\xff", b"http://127.0.0.1"),
    b"x-forwarded-host": (b"evil.com", b"", b",", b"localhost", b"a" * 3000, b"\xff", b"[", b"a:b"),
    b"x-forwarded-proto": (b"https", b"javascript", b"", b",", b"http,https", b"\xff", b"a" * 3000),
    b"x-forwarded-for": (
        b"1.2.3.4",
        b"",
        b"\xff",
        b"unknown",
        b"1.1.1.1, " * 200,
        b"::1",
        b"[::1]:1",
    ),
    b"x-forwarded-prefix": (b"/x", b"//evil.com", b"..", b"\xff"),
    b"x-gradio-server": (b"http://evil.com", b"x"),
    b"x-gradio-user": (b"app", b"x"),
    b"forwarded": (b"for=evil;host=evil.com", b";;;", b"\xff"),
    b"range": (
        b"bytes=0-",
        b"bytes=-1",
        b"bytes=9-1",
        b"x",
        b"bytes=" + b"0-0," * 2000,
        b"bytes=" + b"9" * 99,
    ),
    b"if-none-match": (b"*", b'W/"x"', b"\xff", b'"' * 3000),
    b"if-modified-since": (b"x", b"Thu, 01 Jan 1970 00:00:00 GMT", b"9" * 3000, b"\xff"),
    b"accept-encoding": (b"gzip", b"br;q=x", b"gzip;q=0, *", b"\xff", b"," * 3000),
    b"accept-language": (b"de", b"\xff", b"x;q=," * 500),
    b"content-type": (
        b"multipart/form-data; boundary=x",
        b"multipart/form-data",
        b"text/plain",
        b"",
        b"\xff",
    ),
    b"content-encoding": (b"gzip", b"deflate", b"x"),
    b"expect": (b"100-continue", b"x"),
    b"upgrade": (b"websocket", b"h2c", b"\xff"),
    b"connection": (b"upgrade", b"close", b"keep-alive, upgrade", b"\xff"),
    b"cookie": (b"access-token=x", b"=", b";" * 3000, b"\xff=\xff", b"a=" + b'"' * 3000),
    b"authorization": (b"Basic x", b"Bearer x", b"Basic " + b"A" * 3000, b"\xff"),
    b"user-agent": (b"", b"\xff", b"a" * 9000),
    b"sec-fetch-site": (b"cross-site", b"\xff"),
}


def path(random: Random, target: Target) -> list[Attempt]:
    """A route that Gradio has, or nearly, by any method."""
    route = random.choice(target.routes)
    if route.path == "/logout":  # It would end the login with which the others are sent.
        target = target._replace(cookie=b"")
    named = route.path if random.random() < 0.9 else _twisted(random, route.path)
    filled = re.sub(r"\{[^}]*\}", lambda _: random.choice(_SEGMENTS), named)
    if random.random() < 0.2:
        filled = f"{filled.rstrip('/')}/{random.choice(_SEGMENTS)}"
    if random.random() < 0.2:
        pairs = [
            (random.choice(_NAMES), random.choice(_VALUES)) for _ in range(random.randint(1, 3))
        ]
        filled += "?" + random.choice([urlencode(pairs, errors="replace"), "&=&", "%", "?" * 500])
    sent = quote(filled, safe="/%?&={}~\\'<>*:;+-._").encode()
    own = [each.encode() for each in route.methods] or [b"GET"]
    method = random.choice(own if random.random() < 0.6 else _METHODS)
    body = None
    if method not in {b"GET", b"HEAD"} or random.random() < 0.02:
        body = random.choice(
            [b"", b"{}", documents.mutated(random, {"session_hash": "a", "event_id": "b"})]
        )
    head = method == b"HEAD"
    return [Attempt("path", request(target, method, sent, body), bodiless=head)]


def _twisted(random: Random, text: str) -> str:
    place = random.randrange(len(text) + 1)
    put = random.choice(
        ["/", "//", "%2f", "%00", "%", ".", "/..", "/./", "A", "%20", ";", "\\", "é"]
    )
    return text[:place] + put + text[place:]


def header(random: Random, target: Target) -> list[Attempt]:
    """Headers that say odd things about host, origin, proxy, encoding and more."""
    odd = {
        name: random.choice(_HEADERS[name])
        for name in random.sample(list(_HEADERS), random.randint(1, 3))
    }
    if random.random() < 0.5:
        large = [*target.assets, "/config", "/"]
        small = ["/robots.txt", "/theme.css", "/gradio_api/login_check", "/favicon.ico"]
        file = random.choice(large if random.random() < 0.05 else small)
        return [Attempt("header", request(target, b"GET", file.encode(), None, odd))]
    call = page_call(target, "answer", {"strokes": [[[1, 1], [9, 9]]]})
    function = random.choice([b"component_server", b"run/classify", b"cancel"])
    return [
        Attempt(
            "header",
            request(target, b"POST", b"/gradio_api/" + function, json.dumps(call).encode(), odd),
        )
    ]


def document(random: Random, target: Target) -> list[Attempt]:
    """JSON with wrong values, and what is not JSON."""
    strokes = drawings.valid(random)["strokes"][:1]
    values = [strokes, "int8", None]
    state = {"strokes": strokes, "variant": "int8", "label": 3}
    path, content = random.choice(
        (
            ("component_server", page_call(target, "answer", state)),
            ("component_server", page_call(target, random.choice(_FUNCTIONS), state)),
            ("component_server", page_call(target, "explain", {**state, "model": "mlp"})),
            ("run/explain", {"data": [strokes, "int8", "mlp"]}),
            ("run/classify", {"data": values}),
            ("api/classify/", {"data": values, "session_hash": "a"}),
            ("cancel", {"session_hash": "a", "fn_index": 0, "event_id": "b"}),
            ("reset", {"session_hash": "a", "event_id": "b"}),
        )
    )
    return [Attempt("document", post(target, path, documents.mutated(random, content)))]


def queued(random: Random, target: Target) -> list[Attempt]:
    """The same for calls whose answers are fetched afterwards; nobody does."""
    values = [drawings.valid(random)["strokes"][:1], "int8", None]
    path, content = random.choice(
        (
            ("call/classify", {"data": values}),
            ("call/v2/classify", {"strokes": values[0], "variant": "int8"}),
            ("queue/join", {"data": values, "fn_index": 0, "session_hash": "a"}),
        )
    )
    whole = json.dumps(content).encode()
    body = whole if random.random() < 0.3 else documents.mutated(random, content)
    return [Attempt("queued", post(target, path, body))]


def drawing(random: Random, target: Target) -> list[Attempt]:
    """Strokes at the limits and beyond."""
    strokes = drawings.hostile(random)
    function = random.choice(["answer", "answer", "explain", "save"])
    call = json.dumps(page_call(target, function, "DATA"))
    wrong = f'{{"strokes":{strokes},"variant":"int8","label":1,"model":"mlp"}}'
    body = call.replace('"DATA"', wrong).encode()
    if random.random() < 0.3:
        return [
            Attempt("strokes", post(target, "run/classify", b'{"data":[%b]}' % strokes.encode()))
        ]
    return [Attempt("strokes", post(target, "component_server", body))]


def picture(random: Random, target: Target) -> list[Attempt]:
    """Pictures that are damaged or lie, some of them as photos."""
    if random.random() < 0.2:
        text = pictures.hostile_photo(random)
        if random.random() < 0.5:
            return [Attempt("photo", post(target, "run/read", {"data": [text, "int8"]}))]
        call = page_call(target, "photo", {"image": text, "variant": "int8"})
        return [Attempt("photo", post(target, "component_server", call))]
    content = {"data": [None, "int8", pictures.hostile(random)]}
    return [Attempt("picture", post(target, "run/classify", content))]


def size(random: Random, target: Target) -> list[Attempt]:
    """A body of exactly the limit, and of one byte more or less."""
    length = MAX_BODY + random.choice([-1, 0, 1, 1, 1000])
    call = json.dumps(page_call(target, "answer", {"strokes": [[[1, 1], [9, 9]]]})).encode()
    return [Attempt("size", post(target, "component_server", call.ljust(length)))]


def login(random: Random, target: Target) -> list[Attempt]:
    """Passwords, right and wrong, and forms that are none."""
    body = random.choice(
        (
            b"username=user&password=" + str(random.random()).encode(),
            b"username=user&password=password",
            b"username=%00&password=%ff",
            b"username=" + b"a" * 60_000 + b"&password=x",
            b"&".join([b"username=user"] * 2000),
            b"username=user",
            b"",
            b"\0" * 500,
            b"--x\r\nContent-Disposition: form-data; name=username\r\n\r\nuser\r\n--x--",
            b"--x\r\nContent-Disposition: form-data; name=username; filename=a\r\n\r\nu\r\n--x--",
            b"--x\r\n" * 5000,
            b"--x\r\nContent-Disposition: \xff\r\n\r\n",
        )
    )
    kind = random.choice(
        [
            b"application/x-www-form-urlencoded",
            b"multipart/form-data; boundary=x",
            b"multipart/form-data",
        ]
    )
    headers = {b"content-type": kind, b"cookie": b""}
    path = random.choice([b"/login", b"/login/"])
    return [Attempt("login", request(target, b"POST", path, body, headers))]


def anyone(random: Random, target: Target) -> list[Attempt]:
    """What visitors send, without a login."""
    kind = random.choice((visits.drawing, visits.api, visits.tab, visits.page))
    made = kind(random, target._replace(cookie=b"access-token-x=" + b"0" * random.randrange(50)))
    return [each._replace(kind="no login") for each in made]
