"""Reading JSON strictly."""

import json

from .shapes import Unreadable


def _refuse_constant(name):
    raise ValueError(f"constant {name}")


def load_json(data):
    """Parse a JSON body; raises Unreadable for anything that is not JSON, for NaN and for lone surrogates."""
    try:
        text = data.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Unreadable("Treść żądania nie jest poprawnym dokumentem JSON.") from error
    return value
