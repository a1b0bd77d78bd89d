"""Secrets by reference: an operator names an environment variable or a file, and never writes the value itself."""

from collections.abc import Mapping
from pathlib import Path

from phone_bridge.errors import SettingsError


def found(where: str, what: str, env: str, file: str, environ: Mapping[str, str | None]) -> str:
    """Give the value that the keys ``<what>_env`` or ``<what>_file`` of the table ``where`` refer to.

    Raises SettingsError with the mend, and never with the value.
    """
    if bool(env) == bool(file):
        raise SettingsError(f"{where} needs either {what}_env or {what}_file")
    if env:
        value = environ.get(env)
        if not value:
            raise SettingsError(f"{where} names the environment variable {env}, which is not set")
        return value
    try:
        value = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{where} names the file {file}, which cannot be read ({error})") from None
    if not value:
        raise SettingsError(f"{where} names the file {file}, which is empty")
    return value
