"""Malformed: bytes that are not quite HTTP, requests that stop halfway, clients that leave."""

from __future__ import annotations

from random import Random

from tests.attack import pictures, visits
from tests.attack.attempts import Attempt, Ending, Target, get, page_call, post, request

_BODY = b'{"fn_name":"answer","data":{"strokes":[[[1,1],[9,9]]]}}'


def message(random: Random, target: Target) -> list[Attempt]:
    """Wrong lines, headers, lengths and chunks, and what might smuggle a second request."""
    host = b"Host: " + target.host + b"\r\n"
    start = b"POST /gradio_api/component_server HTTP/1.1\r\n" + host
    length = b"Content-Length: %d\r\n" % len(_BODY)
    chunked = b"Transfer-Encoding: chunked\r\n"
    whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(_BODY), _BODY)
    second = get(target, "/robots.txt")
    sent = random.choice(
        (
            lambda: start + length + b"Content-Length: 3\r\n\r\n" + _BODY,
            lambda: start + length + length + b"\r\n" + _BODY,
            lambda: start + length + chunked + b"\r\n" + whole,
            lambda: start + chunked + b"\r\n" + whole + second,
            lambda: start + chunked + b"Transfer-Encoding: identity\r\n\r\n" + whole,
            lambda: start + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + whole,
            lambda: start + b"Transfer-Encoding : chunked\r\n\r\n" + whole,
            lambda: start + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + whole + second,
            lambda: start + b"Content-Length: 4\r\n\r\nabcd" + second,
            lambda: start + b"Content-Length: %b\r\n\r\nx" % _odd_length(random),
            lambda: start + chunked + b"\r\n" + _odd_chunks(random),
            lambda: b"GET /robots.txt HTTP/1.1\r\n\r\n",
            lambda: b"GET /robots.txt HTTP/1.1\r\n" + host + host + b"\r\n",
            lambda: b"GET /robots.txt HTTP/1.1\r\n" + host + b"Host: evil.com\r\n\r\n",
            lambda: b"GET http://evil.com/robots.txt HTTP/1.1\r\n" + host + b"\r\n",
            lambda: b"GET evil.com:80 HTTP/1.1\r\n" + host + b"\r\n",
            lambda: b"CONNECT evil.com:80 HTTP/1.1\r\n" + host + b"\r\n",
            lambda: b"OPTIONS * HTTP/1.1\r\n" + host + b"\r\n",
            lambda: b"GET /robots.txt\r\n",
            lambda: b"GET /robots.txt HTTP/0.9\r\n\r\n",
            lambda: b"GET /robots.txt HTTP/1.0\r\n\r\n",
            lambda: (
                b"GET /robots.txt HTTP/%b\r\n"
                % random.choice([b"2.0", b"1.9", b"1.", b"11", b"\xff"])
                + host
            ),
            lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(40),
            lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + random.randbytes(500),
            lambda: b"GET /robots.txt HTTP/1.1\n" + host.replace(b"\r", b"") + b"\n",
            lambda: b"GET /robots.txt HTTP/1.1\r\n" + host + b" folded\r\nX: y\r\n\tz\r\n\r\n",
            lambda: b"GET /robots.txt HTTP/1.1\r\n" + host + b"X\0Y: z\r\nA: \0\r\n\r\n",
            lambda: b"GET /robots.txt HTTP/1.1\r\n" + host + b"no colon\r\n\r\n",
            lambda: (
                b"GET /robots.txt HTTP/1.1\r\n"
                + host
                + b"X: "
                + b"a" * random.choice([8000, 70_000])
                + b"\r\n\r\n"
            ),
            lambda: (
                b"GET /robots.txt HTTP/1.1\r\n"
                + host
                + b"X: y\r\n" * random.choice([90, 1000, 20_000])
                + b"\r\n"
            ),
            lambda: (
                b"GET /"
                + b"a" * random.choice([9000, 70_000, 200_000])
                + b" HTTP/1.1\r\n"
                + host
                + b"\r\n"
            ),
            lambda: b"GET /\xff\xc0\x80 HTTP/1.1\r\n" + host + b"\r\n",
            lambda: b"GET /a b HTTP/1.1\r\n" + host + b"\r\n",
            lambda: (
                b"%b / HTTP/1.1\r\n" % random.choice([b"", b"G\0T", b"get", b"A" * 9000, b"\xff"])
                + host
                + b"\r\n"
            ),
            lambda: b"\r\n" * random.choice([1, 5, 5000]) + second,
            lambda: random.randbytes(random.choice([1, 20, 2000])),
            lambda: _flipped(random, post(target, "component_server", _BODY)),
        )
    )()
    return [Attempt("malformed", sent, Ending.GLANCE)]


def _odd_length(random: Random) -> bytes:
    return random.choice(
        [b"-1", b"+1", b"1e1", b"0x1", b"", b"1 1", b"1,1", b"9" * 30, b"65537", b"\xb2", b"1_0"]
    )


def _odd_chunks(random: Random) -> bytes:
    return random.choice(
        (
            b"x\r\nabc\r\n0\r\n\r\n",
            b"-1\r\n\r\n",
            b"ffffffffffffffffff\r\nabc",
            b"3;a=b;" + b"c" * 20_000 + b"\r\nabc\r\n0\r\n\r\n",
            b"3\nabc\n0\n\n",
            b"3\r\nabcdef\r\n0\r\n\r\n",
            b"0\r\nTrailer: x\r\n" + b"T: y\r\n" * 3000 + b"\r\n",
            b"1\r\na\r\n" * random.choice([100, 20_000]) + b"0\r\n\r\n",
            b"10000\r\n" + b" " * 65_536 + b"\r\n1\r\n \r\n0\r\n\r\n",
            b"%x\r\n%b\r\n" % (len(_BODY), _BODY),
        )
    )


def _flipped(random: Random, sent: bytes) -> bytes:
    content = bytearray(sent)
    for _ in range(random.randint(1, 5)):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    return bytes(content)


def pipeline(random: Random, target: Target) -> list[Attempt]:
    """Several requests at once on one connection."""
    count = random.choice([2, 5, 20])
    sent = [_small(random, target) for _ in range(count)]
    return [Attempt("pipeline", b"".join(sent), answers=count)]


def _small(random: Random, target: Target) -> bytes:
    call = page_call(
        target, "answer", {"strokes": [[[1, 1], [9, 9]]], "variant": random.choice(["int8", 0])}
    )
    return random.choice([post(target, "component_server", call), get(target, "/robots.txt")])


def partial(random: Random, target: Target) -> list[Attempt]:
    """A request that stops anywhere; the connection stays open."""
    whole = visits.drawing(random, target)[0].sent
    return [Attempt("partial", whole[: random.randrange(len(whole))], Ending.PARK)]


def aborted(random: Random, target: Target) -> list[Attempt]:
    """A client that leaves during its request or before its answer."""
    kind = random.choice(
        (visits.drawing, visits.api, visits.tab, visits.page, visits.saving, visits.why)
    )
    whole = kind(random, target)[0].sent
    sent = whole if random.random() < 0.6 else whole[: random.randrange(len(whole))]
    return [Attempt("aborted", sent, Ending.LEAVE)]


def large_pictures(_: Random, target: Target) -> list[Attempt]:
    """50 of the largest pictures at once, and ten photos."""
    texts = [text for text in (*pictures.large(), *pictures.drawn()[3::4]) if len(text) < 65_000]
    return [
        Attempt("burst: pictures", post(target, "run/classify", {"data": [None, "int8", text]}))
        for text in (texts * 50)[:50]
    ] + [
        Attempt("burst: photos", post(target, "run/read", {"data": [text]}))
        for text in pictures.photos()[:10]
    ]


def savings(random: Random, target: Target) -> list[Attempt]:
    """60 drawings to store at once."""
    return [visits.saving(random, target)[0]._replace(kind="burst: saving") for _ in range(60)]


def whys(random: Random, target: Target) -> list[Attempt]:
    """60 explanations asked for at once, of one drawing."""
    return [visits.why(random, target)[0]._replace(kind="burst: why")] * 60


def idle(random: Random, target: Target) -> list[Attempt]:
    """Connections that send nothing, a little, or nearly all of a large request."""
    start = request(target, b"POST", b"/gradio_api/cancel", None, {b"content-length": b"65000"})
    sent = random.choice(
        [b"", b"G", b"GET / HTTP/1.1\r\nX: " + b"a" * 60_000, start + b" " * 64_000]
    )
    return [Attempt("burst: idle", sent, Ending.PARK)] * random.choice([100, 300])


def unread(random: Random, target: Target) -> list[Attempt]:
    """Large answers that nobody reads."""
    path = random.choice(["/", "/config", "/gradio_api/info", *target.assets])
    sent = get(target, path) * random.choice([1, 50, 500])
    return [Attempt("burst: unread", sent, Ending.PARK)] * 190


def crowd(random: Random, target: Target) -> list[Attempt]:
    """As many connections as an address may have, each with many drawings in a row."""
    sent = visits.drawing(random, target)[0].sent * 10
    return [Attempt("burst: crowd", sent, Ending.PARK)] * 190


def unfetched(random: Random, target: Target) -> list[Attempt]:
    """More calls than answers may wait."""
    strokes = [[[1, 1], [9, 9]]]
    calls = (
        ("call/classify", {"data": [strokes, "int8", None]}),
        ("call/v2/classify", {"strokes": strokes}),
        ("queue/join", {"data": [strokes], "fn_index": 0, "session_hash": "a"}),
    )
    return [
        Attempt("burst: unfetched", post(target, path, content))
        for path, content in random.choices(calls, k=300)
    ]
