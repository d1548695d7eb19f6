from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.fakes import FakeLibrary, serving
from tests.service import contract

QUERY = {"query": "embeddings"}


def _refused(response: httpx.Response, status: int, slug: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json().keys() == contract.PROBLEM
    assert response.json()["type"] == f"urn:ragnotes:{slug}"


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example:8000"),
        *("x@localhost", "localhost:80:80", "localhost/evil", "localhost..", "[::1", "[::1]evil", ""),
    ],
)
def test_a_foreign_host_is_refused(server: httpx.Client, host: str) -> None:
    _refused(server.get("/v1/status", headers={"Host": host}), 400, "bad-request")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8000", "LOCALHOST", "localhost.", "localhost.:1"])
def test_every_name_of_this_machine_is_fine(server: httpx.Client, host: str) -> None:
    assert server.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://[::1"])
def test_a_foreign_origin_may_not_post(server: httpx.Client, origin: str) -> None:
    _refused(server.post("/v1/search", json=QUERY, headers={"Origin": origin}), 403, "forbidden")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "header", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_pages_of_others_reach_nothing_by_any_method(
    server: httpx.Client, library: FakeLibrary, method: str, header: dict[str, str]
) -> None:
    for path in ("/v1/status", "/v1/documents", "/v1/conversations", "/v1/index/sync", "/health"):
        assert server.request(method, path, headers=header).status_code == 403
    asked = {"question": "how are embeddings cached?", "stream": True}
    assert server.request(method, "/v1/ask", json=asked, headers=header).status_code == 403
    assert library.asked == []


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_what_the_user_typed_and_the_own_pages_pass(server: httpx.Client, site: str) -> None:
    assert server.get("/health", headers={"Sec-Fetch-Site": site}).status_code == 200


def test_the_own_origin_may_post(server: httpx.Client) -> None:
    origin = str(server.base_url).rstrip("/")
    assert server.post("/v1/search", json=QUERY, headers={"Origin": origin}).status_code == 200


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_is_not_json_is_refused(server: httpx.Client, media_type: str) -> None:
    response = server.post("/v1/search", content=b'{"query": "x"}', headers={"Content-Type": media_type})
    _refused(response, 415, "unsupported-media-type")


def test_a_form_without_a_body_is_no_json_either(server: httpx.Client) -> None:
    response = server.post("/v1/index/sync", headers={"Content-Type": "text/plain"})
    _refused(response, 415, "unsupported-media-type")
    two = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
    _refused(server.post("/v1/search", content=b"{}", headers=two), 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health", 200), ("/v1/status", 200), ("/nowhere", 404), ("/v1/documents/x", 404), ("/openapi.json", 200)],
)
def test_no_cache_keeps_an_answer_and_no_browser_runs_it(server: httpx.Client, path: str, status: int) -> None:
    _marked_private(server.get(path), status)


def test_streams_and_mistakes_are_marked_private_too(server: httpx.Client, library: FakeLibrary) -> None:
    body = {"question": "how are embeddings cached?"}
    _marked_private(server.post("/v1/ask", json=body | {"stream": True}), 200)
    _marked_private(server.get("/health", headers={"Host": "evil.example"}), 400)
    library.error = KeyError("secret")
    _marked_private(server.post("/v1/ask", json=body), 500)


def _marked_private(response: httpx.Response, status: int) -> None:
    assert response.status_code == status
    assert response.headers.get_list("cache-control") == ["no-store"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")


BOMBS = {
    "deep list": b"[" * 10_000 + b"]" * 10_000,
    "deep query": b'{"query":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep object": b'{"a":' * 100_000,
    "NaN": b'{"query":"x","limit":NaN}',
    "Infinity": b'{"query":"x","limit":Infinity}',
    "1e999": b'{"query":"x","limit":1e999}',
    "k=1e9": b'{"query":"x","limit":1000000000}',
    "number of 5000 digits": b'{"query":"x","limit":1' + b"0" * 5000 + b"}",
    "question of 1 MB": b'{"query":"' + b"a " * 500_000 + b'"}',
    "field name of 1 MB": b'{"query":"x","' + b"a" * 1_000_000 + b'":1}',
    "90,000 fields": b'{"query":"x",' + b",".join(b'"a%d":1' % number for number in range(90_000)) + b"}",
    "500,000 tags": b'{"query":"x","tags":[' + b"1," * 500_000 + b"1]}",
    "101 tags": b'{"query":"x","tags":[' + b'"a",' * 100 + b'"a"]}',
    "tag of 1 MB": b'{"query":"x","tags":["' + b"a" * 1_000_000 + b'"]}',
    "pattern of 20,000 brackets": b'{"query":"x","paths":["' + b"[" * 20_000 + b'"]}',
    "100 long patterns": b'{"query":"x","paths":[' + b",".join(b'"%s"' % (b"*a" * 450) for _ in range(100)) + b"]}",
    "half a character": b'{"query":"\\ud800"}',
    "no UTF-8": b'{"query":"\xff"}',
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bodies_made_to_hurt_are_refused_for_a_second_of_work_and_in_few_words(server: httpx.Client, bomb: str) -> None:
    begun = time.process_time()
    response = server.post("/v1/search", content=BOMBS[bomb], headers={"Content-Type": "application/json"})
    assert time.process_time() - begun < 1, "the server runs in this process"
    assert response.status_code in (400, 422)
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.content) < 10_000


@pytest.mark.parametrize(
    "messages",
    [
        b"1," * 400_000 + b"1",
        b'{"role":"user","content":[' + b"1," * 400_000 + b"1]}",
        b'{"role":"user"},' * 30_000 + b"1",
    ],
)
def test_chats_made_to_hurt_are_refused_for_a_second_of_work(server: httpx.Client, messages: bytes) -> None:
    body = b'{"model":"ragnotes","messages":[' + messages + b"]}"
    begun = time.process_time()
    response = server.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"})
    assert time.process_time() - begun < 1
    assert response.status_code == 400
    assert len(response.content) < 10_000


def test_no_request_names_a_file_to_load(server: httpx.Client) -> None:
    for name in ("/etc/passwd", "../../model.gguf", "file:///model.gguf"):
        for field in ("model", "model_url", "embedder", "index", "corpus"):
            refused = server.post("/v1/ask", json={"question": "x", field: name})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
        chat = {"model": name, "messages": [{"role": "user", "content": "x"}]}
        assert server.post("/v1/chat/completions", json=chat).status_code == 404


TRAVERSALS = [
    "../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%2fetc%2fpasswd", "/etc/passwd",
    "..", "%00", "..%5c..", "%c0%ae%c0%ae/", "d-0%00", "cache.md", "%ff", "a" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
@pytest.mark.parametrize("route", ["documents", "conversations", "jobs", "models"])
def test_paths_are_no_ids(server: httpx.Client, route: str, path: str) -> None:
    url = httpx.URL(str(server.base_url), raw_path=f"/v1/{route}/{path}".encode())
    for method in ("GET", "DELETE") if route == "conversations" else ("GET",):
        response = server.request(method, url)
        assert response.status_code in (404, 422)
        assert "root:" not in response.text


def _pieces() -> Iterator[bytes]:
    yield b'{"query": "'
    for _ in range(40):
        yield b"x" * 65536


def test_a_large_body_is_refused_whole_or_in_pieces(server: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    _refused(server.post("/v1/search", content=b"x" * 1_100_000, headers=headers), 413, "body-too-large")
    _refused(server.post("/v1/search", content=_pieces(), headers=headers), 413, "body-too-large")


def test_a_wrong_method_is_refused(server: httpx.Client) -> None:
    response = server.get("/v1/ask")
    _refused(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "POST"


def test_through_a_proxy_programs_with_the_key_get_and_pages_do_not() -> None:
    """As the README says: the proxy calls the server by its own address."""
    with serving(FakeLibrary(), api_key="key") as url, httpx.Client(base_url=url, trust_env=False) as server:
        said = {"Host": url.removeprefix("http://"), "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
        key = {"Authorization": "Bearer key"}
        assert server.get("/v1/status", headers=said | key).status_code == 200
        _refused(server.get("/v1/status", headers=said), 401, "unauthorized")
        page = said | key | {"Origin": "https://notes.example"}
        _refused(server.get("/v1/status", headers=page), 403, "forbidden")
        _refused(server.get("/v1/status", headers=said | key | {"Host": "notes.example"}), 400, "bad-request")


def test_with_a_key_only_probes_are_open() -> None:
    with serving(FakeLibrary(), api_key="kéy") as url, httpx.Client(base_url=url, trust_env=False) as server:
        assert server.get("/health").status_code == 200
        for credentials in ("", "Bearer wrong", "Basic kéy", "Bearer"):
            response = server.get("/v1/status", headers=[(b"Authorization", credentials.encode())])
            _refused(response, 401, "unauthorized")
            assert response.headers["www-authenticate"] == "Bearer"
        right = [(b"Authorization", "Bearer kéy".encode())]
        assert server.get("/v1/status", headers=right).status_code == 200
