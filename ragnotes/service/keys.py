"""The API key: made here, shown once, and from then on known by its hash alone. Imports no web framework.

A key from the environment is hashed before anything else sees the settings; the hash of one made by `ragnotes key`
stands in a file that its owner alone can read, and counts wherever other machines could call, or where it is said to.
The keys are random, so that one round of SHA-256 with a salt is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ragnotes.errors import SettingsError, UsageError
from ragnotes.settings import Settings, is_loopback

__all__ = ["Keys", "hashed", "make_key", "revoke_key", "sealed"]

_HASHED = re.compile(r"sha256:[0-9a-f]{32}:[0-9a-f]{64}", re.ASCII)
_KEY_BYTES = 32
_SALT_BYTES = 16
_MAX_FILE_BYTES = 1024


def hashed(key: bytes) -> str:
    """The salted hash of a key, in the form that settings and file hold: `sha256:SALT:DIGEST`."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"sha256:{salt.hex()}:{_digest(salt, key).hex()}"


def sealed(settings: Settings) -> Settings:
    """The settings with its hash in the place of the key, which is also taken out of the environment: children inherit
    that.
    """
    for name in [name for name in os.environ if name.upper() == "RAGNOTES_API_KEY"]:
        del os.environ[name]
    return replace(settings, api_key=_hash_of(settings.api_key))


def make_key(file: Path) -> str:
    """A new random key, whose hash is written to `file`. Raises UsageError where there is a key already."""
    key = f"rn-{secrets.token_urlsafe(_KEY_BYTES)}"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise UsageError(f"there is a key already: {file} holds its hash", "run: ragnotes key --revoke") from None
    except OSError as error:
        raise _unusable(file, f"cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(f"{hashed(key.encode())}\n")
        stream.flush()
        os.fsync(stream.fileno())
    return key


def revoke_key(file: Path) -> bool:
    """Removes the key, also from a server that runs; False where there was none."""
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(file, f"cannot be removed: {error.strerror}") from error
    return True


class Keys:
    """What lets a request in: the key of the settings, else the one whose hash the key file holds at that moment.

    On the loopback the file counts only where the settings say so: there no key is asked for by itself.

    A key that was revoked or replaced counts as that at once. A server that began with a key never goes on without one.
    """

    def __init__(self, settings: Settings, *, token: str | None = None) -> None:
        """A `token` is as good as the key. Raises SettingsError where the key file cannot be trusted."""
        self._token = hashed(token.encode()) if token else None
        self._fixed = _hash_of(settings.api_key)
        self._file = settings.key_file if settings.require_key or not is_loopback(settings.host) else None
        self._required = self._wanted() is not None

    @property
    def required(self) -> bool:
        if not self._required:
            with suppress(SettingsError):
                self._required = self._wanted() is not None
        return self._required

    def accept(self, key: bytes) -> bool:
        """Whether this is the key; how long that takes tells nothing of it."""
        wanted = None
        with suppress(SettingsError):
            wanted = self._wanted()
        found = [_fits(key, each) for each in (wanted, self._token) if each]  # each is compared, whatever fits
        return any(found)

    def _wanted(self) -> str | None:
        return self._fixed or (_hash_in(self._file) if self._file else None)


def _hash_of(key: str | None) -> str | None:
    """A key of the settings as its hash, which it may be already."""
    return key if key is None or _HASHED.fullmatch(key) else hashed(key.encode())


def _digest(salt: bytes, key: bytes) -> bytes:
    return hashlib.sha256(salt + key).digest()


def _fits(key: bytes, wanted: str) -> bool:
    _, salt, digest = wanted.split(":")
    return hmac.compare_digest(_digest(bytes.fromhex(salt), key), bytes.fromhex(digest))


def _hash_in(file: Path) -> str | None:
    """The hash that the file holds; None where there is no file. Raises SettingsError where others could write it."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unusable(file, f"cannot be read: {error.strerror}") from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise _unusable(file, "is not a file of yours alone (mode 0600)")
        found = os.read(handle, _MAX_FILE_BYTES).decode("ascii", "replace").strip()
    finally:
        os.close(handle)
    if not _HASHED.fullmatch(found):
        raise _unusable(file, "holds no hash of a key")
    return found


def _unusable(file: Path, why: str) -> SettingsError:
    return SettingsError(f"the key file {file} {why}", "run: ragnotes key --revoke, then ragnotes key")
