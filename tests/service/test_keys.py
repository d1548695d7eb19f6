from __future__ import annotations

import os
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest

from ragnotes.cli import main
from ragnotes.errors import SettingsError
from ragnotes.service import throttling
from ragnotes.service.keys import Keys, hashed, make_key, revoke_key, sealed
from tests.fakes import FakeLibrary, fake_settings, serving


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "ragnotes" / "api-key"


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_the_command_shows_a_key_once_and_keeps_its_hash(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAGNOTES_KEY_FILE", str(file))
    before = os.umask(0)
    try:
        assert main(["key"]) == 0
    finally:
        os.umask(before)
    key = capsys.readouterr().out.strip()
    assert re.fullmatch(r"rn-[A-Za-z0-9_-]{43}", key)
    assert re.fullmatch(r"sha256:[0-9a-f]{32}:[0-9a-f]{64}\n", file.read_text())
    assert key not in file.read_text()
    assert [path.stat().st_mode & 0o777 for path in (file, file.parent, file.parent.parent)] == [0o600, 0o700, 0o700]
    assert main(["key"]) == 2
    assert "ragnotes key --revoke" in capsys.readouterr().err
    assert Keys(fake_settings(key_file=file, require_key=True)).accept(key.encode())
    assert main(["key", "--revoke"]) == 0
    assert not file.exists()


def test_only_the_key_is_accepted_whatever_the_length_of_another(file: Path) -> None:
    key = make_key(file).encode()
    keys = Keys(fake_settings(key_file=file, host="0.0.0.0"))
    assert keys.required
    assert keys.accept(key)
    others = [b"", b"x", key[:-1], key + b"x", key + b"\0", key.upper(), b"x" * 100_000, "ключ".encode()]
    assert [other for other in others if keys.accept(other)] == []
    assert not keys.accept(file.read_bytes().strip())  # whoever has read the hash has no key
    of_this_run = Keys(fake_settings(key_file=file, host="0.0.0.0"), token="of this run")
    assert [of_this_run.accept(each) for each in (key, b"of this run", b"of another")] == [True, True, False]


def test_a_revoked_key_is_void_at_once_in_a_server_that_runs(file: Path) -> None:
    first = make_key(file)
    with (
        serving(FakeLibrary(), key_file=file, require_key=True) as url,
        httpx.Client(base_url=url, trust_env=False) as server,
    ):
        refused = server.get("/v1/status")
        assert refused.status_code == 401
        assert "ragnotes key made" in refused.json()["hint"]
        assert server.get("/v1/status", headers=_bearer(first)).status_code == 200
        revoke_key(file)
        assert server.get("/v1/status", headers=_bearer(first)).status_code == 401
        assert server.get("/v1/status").status_code == 401
        second = make_key(file)
        assert server.get("/v1/status", headers=_bearer(first)).status_code == 401
        assert server.get("/v1/status", headers=_bearer(second)).status_code == 200


def test_on_this_machine_no_key_is_asked_for_unless_that_is_said(file: Path) -> None:
    make_key(file)
    for host in ("127.0.0.1", "localhost", "::1"):
        assert not Keys(fake_settings(key_file=file, host=host)).required
        assert Keys(fake_settings(key_file=file, host=host, require_key=True)).required
        assert Keys(fake_settings(key_file=file, host=host, api_key="explicit")).required
    assert Keys(fake_settings(key_file=file, host="0.0.0.0")).required
    with serving(FakeLibrary(), key_file=file) as url:
        assert httpx.get(f"{url}/v1/status", trust_env=False).status_code == 200


@pytest.mark.parametrize("spoil", ["mode", "link", "content", "folder"])
def test_a_key_file_that_others_may_have_written_is_refused(file: Path, spoil: str) -> None:
    make_key(file)
    if spoil == "mode":
        file.chmod(0o640)
    elif spoil == "content":
        file.write_text("secret\n")
    else:
        file.rename(file.with_name("elsewhere"))
        file.symlink_to("elsewhere") if spoil == "link" else file.mkdir()
    with pytest.raises(SettingsError, match="ragnotes key --revoke"):
        Keys(fake_settings(key_file=file, host="0.0.0.0"))


def test_settings_of_a_server_hold_no_key_nor_does_what_its_children_inherit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAGNOTES_API_KEY", "secret-of-mine")
    settings = sealed(fake_settings(api_key="secret-of-mine"))
    assert "secret-of-mine" not in repr(asdict(settings))
    assert "RAGNOTES_API_KEY" not in os.environ
    assert Keys(settings).accept(b"secret-of-mine")
    assert Keys(fake_settings(api_key=hashed(b"secret-of-mine"))).accept(b"secret-of-mine")


def test_wrong_keys_are_held_back_and_the_right_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "DELAY_S", 0.5)
    monkeypatch.setattr(throttling, "HELD", 8)
    with serving(FakeLibrary(), api_key="the-right-one") as url, httpx.Client(base_url=url, trust_env=False) as server:

        def guess(number: int) -> tuple[int, str]:
            response = server.get("/v1/status", headers=_bearer(f"guess-{number}"))
            return response.status_code, response.headers.get("retry-after", "")

        assert [guess(number)[0] for number in range(throttling.FREE_GUESSES)] == [401] * throttling.FREE_GUESSES
        begun = time.monotonic()
        assert guess(0)[0] == 401
        assert time.monotonic() - begun >= 0.5
        with ThreadPoolExecutor(32) as flood:
            guesses = [flood.submit(guess, number) for number in range(200)]
            time.sleep(0.2)
            right = [server.get("/v1/status", headers=_bearer("the-right-one")).status_code for _ in range(5)]
            answers = Counter(each.result() for each in guesses)
        assert right == [200] * 5
        assert answers.keys() == {(401, ""), (429, "1")}
        assert server.get("/v1/status").status_code == 401  # none at all is no guess, and told at once
