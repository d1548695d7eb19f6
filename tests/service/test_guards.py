from __future__ import annotations

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


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost.evil.example", "[::1", ""])
def test_a_foreign_host_is_refused(server: httpx.Client, host: str) -> None:
    _refused(server.get("/v1/status", headers={"Host": host}), 400, "bad-request")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8000", "LOCALHOST"])
def test_every_name_of_this_machine_is_fine(server: httpx.Client, host: str) -> None:
    assert server.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://[::1"])
def test_a_foreign_origin_may_not_post(server: httpx.Client, origin: str) -> None:
    _refused(server.post("/v1/search", json=QUERY, headers={"Origin": origin}), 403, "forbidden")


def test_the_own_origin_may_post(server: httpx.Client) -> None:
    origin = str(server.base_url).rstrip("/")
    assert server.post("/v1/search", json=QUERY, headers={"Origin": origin}).status_code == 200


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_is_not_json_is_refused(server: httpx.Client, media_type: str) -> None:
    response = server.post("/v1/search", content=b'{"query": "x"}', headers={"Content-Type": media_type})
    _refused(response, 415, "unsupported-media-type")


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


def test_with_a_key_only_probes_are_open() -> None:
    with serving(FakeLibrary(), api_key="kéy") as url, httpx.Client(base_url=url, trust_env=False) as server:
        assert server.get("/health").status_code == 200
        for credentials in ("", "Bearer wrong", "Basic kéy", "Bearer"):
            response = server.get("/v1/status", headers=[(b"Authorization", credentials.encode())])
            _refused(response, 401, "unauthorized")
            assert response.headers["www-authenticate"] == "Bearer"
        right = [(b"Authorization", "Bearer kéy".encode())]
        assert server.get("/v1/status", headers=right).status_code == 200
