"""`config` from the command line."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path

import pytest

from ragnotes.cli import main
from ragnotes.settings import Settings


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RAGNOTES_")]:
        monkeypatch.delenv(name)


def test_every_setting_is_told_with_its_value_and_where_it_was_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("ragnotes.toml").write_text('port = 9\ntz = "Europe/Madrid"\n')
    monkeypatch.setenv("RAGNOTES_HISTORY", "no")
    assert main(["config", "--corpus", "notes", "--corpus", "papers", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    settings = {each["name"]: (each["value"], each["origin"]) for each in told["settings"]}
    assert settings.keys() == {each.name for each in fields(Settings)}
    assert settings["corpus"] == (["notes", "papers"], "--corpus")
    assert settings["port"] == (9, "ragnotes.toml: port")
    assert settings["tz"] == ("Europe/Madrid", "ragnotes.toml: tz")
    assert settings["history"] == (False, "RAGNOTES_HISTORY")
    assert settings["queue_length"] == (8, "default")
    assert settings["model"] == (None, "default")
    own = Path(os.environ["XDG_CONFIG_HOME"], "ragnotes", "config.toml")
    found = {each["path"]: each["found"] for each in told["files"]}
    assert found == {"ragnotes.toml": True, "notes/ragnotes.toml": False, str(own): False}


def test_a_key_is_known_to_be_set_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAGNOTES_API_KEY", "swordfish")
    for options in ([], ["--json"]):
        assert main(["config", *options]) == 0
        assert "swordfish" not in (told := capsys.readouterr().out)
    assert {"name": "api_key", "value": True, "origin": "RAGNOTES_API_KEY"} in json.loads(told)["settings"]


def test_in_words_each_setting_has_a_line_and_files_stand_below(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--index", "ix"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [each.split() for each in lines if each.startswith(("index ", "watch ", "model "))] == [
        ["index", "ix", "--index"],
        ["model", "-", "default"],
        ["watch", "false", "default"],
    ]
    assert lines[-3] == "ragnotes.toml (there is none)"


def test_a_value_that_is_none_ends_with_where_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ragnotes.toml").write_text("port = -1\n")
    assert main(["config"]) == 2
    assert "ragnotes.toml: port: " in capsys.readouterr().err


def test_a_password_in_a_servers_url_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAGNOTES_SERVER", "http://ana:swordfish@notes.example:8000")
    assert main(["config"]) == 0
    told = capsys.readouterr().out
    assert "http://notes.example:8000" in told
    assert "swordfish" not in told
