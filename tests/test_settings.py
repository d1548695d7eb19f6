from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from ragnotes.errors import SettingsError
from ragnotes.settings import load_settings, settings_with_origins


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CORPUS", "INDEX", "PORT", "HOST"):
        monkeypatch.delenv(f"RAGNOTES_{name}", raising=False)


def test_flags_win_over_the_environment_that_over_the_file_that_over_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (load_settings({}).host, load_settings({}).port) == ("127.0.0.1", 8000)
    Path("ragnotes.toml").write_text("port = 1\nqueue_length = 3\n")
    assert load_settings({}).port == 1
    monkeypatch.setenv("RAGNOTES_PORT", "2")
    assert load_settings({"host": None, "corpus": []}).port == 2
    settings = load_settings({"port": 3})
    assert (settings.port, settings.queue_length) == (3, 3)


def test_several_folders_stand_in_the_environment_as_in_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAGNOTES_CORPUS", "notes:/papers")
    assert load_settings({}).corpus == (Path("notes"), Path("/papers"))


@pytest.mark.parametrize(
    ("flags", "variables", "file", "problem"),
    [
        ({"port": 70000}, {}, "", r"^--port: .*got 70000; "),
        ({}, {"RAGNOTES_PORT": "many"}, "", r"^RAGNOTES_PORT: .*got 'many'; "),
        ({}, {"RAGNOTES_CORPUS": ""}, "", r"^RAGNOTES_CORPUS: .*at least 1 item"),
        ({"tz": "Mars/Olympus"}, {}, "", r"^--tz: .*write it as Europe/Madrid"),
        ({}, {"RAGNOTES_DAY_FIRST": "perhaps"}, "", r"^RAGNOTES_DAY_FIRST: .*got 'perhaps'; "),
        ({}, {}, "threads = 0", r"^ragnotes\.toml: threads: .*got 0; "),
        ({}, {}, "threads =", r"^ragnotes\.toml cannot be read: "),
        ({}, {}, "treads = 2", r"^ragnotes\.toml: there is no setting treads; "),
        (
            {},
            {},
            'server = "http://elsewhere"',
            r"^ragnotes\.toml: server cannot be set there.*RAGNOTES_SERVER",
        ),
        ({}, {}, 'model_url = "http://elsewhere"', r"^ragnotes\.toml: model_url cannot be set.*RAGNOTES_MODEL_URL"),
        ({}, {}, "require_key = false", r"^ragnotes\.toml: require_key cannot be set there.*somebody else's"),
        ({}, {}, 'model_name = "m"', r"^ragnotes\.toml: model_name cannot be set there"),
        ({}, {}, 'model_api_key = "k"', r"^ragnotes\.toml: model_api_key cannot be set there"),
        ({"model_url": "localhost:8080"}, {}, "", r"^--model-url: .*is no URL such as http://127\.0\.0\.1:8080/v1"),
        ({}, {"RAGNOTES_MODEL_URL": "file:///etc/passwd"}, "", r"^RAGNOTES_MODEL_URL: .*is no URL"),
        ({"model_url": "http://user:secret@host/v1"}, {}, "", r"^--model-url: .*is no URL"),
        ({"model_url": "http://127.0.0.1:abc"}, {}, "", r"^--model-url: .*is no URL"),
        ({"model_url": "http://[::1"}, {}, "", r"^--model-url: .*is no URL"),
        ({"model_url": "http://127.0.0.1:99999999/v1"}, {}, "", r"^--model-url: .*is no URL"),
        ({"model_url": "http://:80/v1"}, {}, "", r"^--model-url: .*is no URL"),
        ({"model_url": "http://host\0/v1"}, {}, "", r"^--model-url: .*is no URL"),
    ],
)
def test_a_bad_value_names_its_setting_and_where_it_came_from(
    flags: dict[str, object], variables: dict[str, str], file: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    Path("ragnotes.toml").write_text(file)
    with pytest.raises(SettingsError, match=problem):
        load_settings(flags)


def test_how_dates_are_read_can_stand_in_file_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (load_settings({}).day_first, load_settings({}).tz) == (None, None)
    Path("ragnotes.toml").write_text('day_first = true\ntz = "Europe/Madrid"\n')
    assert (load_settings({}).day_first, load_settings({}).tz) == (True, "Europe/Madrid")
    monkeypatch.setenv("RAGNOTES_DAY_FIRST", "false")
    assert load_settings({}).day_first is False


def test_a_models_server_is_named_by_flag_or_environment_and_its_key_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAGNOTES_MODEL_API_KEY", "secret")
    settings = load_settings({"model_url": "https://models.example/v1/"})
    assert (settings.model_url, settings.model_api_key) == ("https://models.example/v1/", "secret")
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("name", ["api_key", "model_api_key"])
def test_a_key_may_end_in_a_line_break_but_hold_none_and_is_never_told(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for given, kept in ((" secret\r\n", "secret"), ("\n", None), ("", None)):
        monkeypatch.setenv(f"RAGNOTES_{name.upper()}", given)
        assert getattr(load_settings({}), name) == kept
    for given in ("se\ncret", "se cret", "secrét"):
        monkeypatch.setenv(f"RAGNOTES_{name.upper()}", given)
        with pytest.raises(SettingsError, match=rf"^RAGNOTES_{name.upper()}: a key has ASCII") as refused:
            load_settings({})
        told = "".join(traceback.format_exception(refused.value))
        assert given not in told
        assert repr(given)[1:-1] not in told


URL = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("flags", "variables", "file", "model", "model_url"),
    [
        ({"model_url": URL}, {}, 'model = "m.gguf"', None, URL),
        ({"model_url": URL}, {"RAGNOTES_MODEL": "m.gguf"}, "", None, URL),
        ({"model": "m.gguf"}, {"RAGNOTES_MODEL_URL": URL}, "", Path("m.gguf"), None),
        ({}, {"ragnotes_model_url": URL}, 'model = "m.gguf"', None, URL),
        ({"model": "m.gguf"}, {"RAGNOTES_MODEL": "n.gguf"}, "", Path("m.gguf"), None),
        ({"model": "m.gguf", "model_url": URL}, {}, "", Path("m.gguf"), URL),
        ({}, {"RAGNOTES_MODEL": "m.gguf", "RAGNOTES_MODEL_URL": URL}, "", Path("m.gguf"), URL),
    ],
)
def test_a_model_named_by_a_stronger_source_overrules_the_other_way_to_name_one(
    flags: dict[str, object],
    variables: dict[str, str],
    file: str,
    model: Path | None,
    model_url: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    Path("ragnotes.toml").write_text(file)
    settings = load_settings(flags)
    assert (settings.model, settings.model_url) == (model, model_url)


def own_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "config" / "ragnotes" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_the_users_own_file_is_the_weakest_and_its_paths_count_from_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ana")
    text = 'corpus = ["~/notes", "papers"]\nindex = "ix"\nport = 9\nqueue_length = 4\nlink = "vscode://file{path}"\n'
    file = own_file(monkeypatch, tmp_path, text)
    Path("ragnotes.toml").write_text("port = 8\n")
    settings, origins = settings_with_origins({"queue_length": 5})
    assert settings.corpus == (Path("/home/ana/notes"), file.parent / "papers")
    assert (settings.index, settings.link) == (file.parent / "ix", "vscode://file{path}")
    assert (settings.port, origins["port"]) == (8, "ragnotes.toml: port")
    assert (settings.queue_length, origins["queue_length"]) == (5, "--queue-length")
    assert origins["index"] == f"{file}: index"
    assert "threads" not in origins
    assert load_settings({"queue_length": 5}) == settings


def test_a_file_beside_the_notes_says_how_their_dates_are_read_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_file(monkeypatch, tmp_path, 'tz = "Asia/Tokyo"\nday_first = true\n')
    Path("notes").mkdir()
    Path("notes/ragnotes.toml").write_text(
        'day_first = false\nport = 7\nindex = "elsewhere"\nserver = "http://elsewhere"\n'
    )
    settings, origins = settings_with_origins({"corpus": [Path("notes"), Path("papers")]})
    assert (settings.day_first, origins["day_first"]) == (False, "notes/ragnotes.toml: day_first")
    assert (settings.tz, settings.port, settings.server) == ("Asia/Tokyo", 8000, None)
    assert settings.index == Path("indexes/default")
    assert load_settings({}).day_first is True  # other notes
    monkeypatch.setenv("RAGNOTES_CORPUS", "notes:papers")
    assert load_settings({}).day_first is False
    monkeypatch.chdir("notes")
    with pytest.raises(SettingsError, match=r"^ragnotes\.toml: server cannot be set there"):
        load_settings({"corpus": ["."]})  # where it is run, it is read whole


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('api_key = "k"', "config.toml: api_key cannot be set there, because a file is no place for a key"),
        ("prot = 1", "config.toml: there is no setting prot"),
        ("port = -1", "config.toml: port: .*got -1"),
        ("port", "config.toml cannot be read"),
    ],
)
def test_what_the_users_own_file_cannot_say_is_told_with_its_place(
    text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = own_file(monkeypatch, tmp_path, text)
    with pytest.raises(SettingsError, match=problem) as refused:
        load_settings({})
    assert str(refused.value).startswith(str(file))


def test_what_a_stronger_source_overrules_has_no_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ragnotes.toml").write_text('model = "m.gguf"\n')
    monkeypatch.setenv("RAGNOTES_MODEL_URL", URL)
    settings, origins = settings_with_origins({})
    assert (settings.model, origins) == (None, {"model_url": "RAGNOTES_MODEL_URL"})


def test_paths_of_the_users_own_file_are_told_apart_before_they_are_placed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ana")
    file = own_file(monkeypatch, tmp_path, 'corpus = "notes:~/papers"\nembedder = ""\n')
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())  # as some editors begin a file
    settings = load_settings({})
    assert settings.corpus == (file.parent / "notes", Path("/home/ana/papers"))
    assert settings.embedder == Path()


@pytest.mark.parametrize("text", ["a = " + "[" * 20_000, "#" * 70_000, 'tz = "Mars/Olympus"'])
def test_a_hostile_file_beside_the_notes_is_refused_with_its_place(text: str) -> None:
    Path("notes").mkdir()
    Path("notes/ragnotes.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"^notes/ragnotes\.toml"):
        load_settings({"corpus": ["notes"]})


def test_the_file_of_the_working_directory_is_read_once_however_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("notes").mkdir()
    Path("notes/ragnotes.toml").write_text('tz = "Asia/Tokyo"\nport = 7\n')
    Path("link").symlink_to("notes")
    monkeypatch.setenv("RAGNOTES_CORPUS", ":notes")
    assert (load_settings({}).tz, load_settings({}).port) == ("Asia/Tokyo", 8000)
    monkeypatch.chdir("notes")
    for folder in (".", "../notes", "../link"):
        assert settings_with_origins({"corpus": [folder]})[1]["tz"] == "ragnotes.toml: tz"


def test_folders_of_notes_that_cannot_be_looked_at_are_left_to_who_reads_them() -> None:
    assert load_settings({"corpus": ["x" * 300]}).corpus == (Path("x" * 300),)
