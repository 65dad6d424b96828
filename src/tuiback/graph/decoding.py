"""Reads Graph's JSON once, and leniently where the service is known not to keep to the rules."""

import json
from typing import Any

import msgspec

from tuiback.errors import GraphError


def read_object(body: bytes, subject: str) -> dict[str, Any]:
    """The JSON object in `body`, {} when it is empty.

    Message bodies may hold raw control characters and broken UTF-8, which strict readers refuse. Raises
    GraphError when it is no JSON object at all.
    """
    if not body:
        return {}
    value: object
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = _read_leniently(body, subject)
    if not isinstance(value, dict):
        raise GraphError("Microsoft answered JSON that is no object", subject, "retry later", status=200)
    return value


def _read_leniently(body: bytes, subject: str) -> object:
    try:
        return _mended(json.loads(body.decode("utf-8", "replace"), strict=False))
    except ValueError as error:
        raise GraphError("Microsoft answered something that is not JSON", subject, "retry later", status=200) from error


def _mended(value: object) -> object:
    """`value` with halves of surrogate pairs replaced: what can't be written as UTF-8 can't be stored."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_mended(child) for child in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(child) for key, child in value.items()}
    return value
