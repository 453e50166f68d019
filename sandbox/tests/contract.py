"""The official OpenAPI document as a judge of requests and answers."""

import base64
import binascii
import json
import os
import re
from datetime import date, datetime
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _date_time(value):
    if not isinstance(value, str):
        return True
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value, re.ASCII):
        return False
    return datetime.fromisoformat(re.sub(r"\.\d+", "", value)) is not None


@_FORMATS.checks("date", raises=ValueError)
def _date(value):
    return not isinstance(value, str) or date.fromisoformat(value) is not None


@_FORMATS.checks("byte", raises=binascii.Error)
def _byte(value):
    return not isinstance(value, str) or base64.b64decode(value, validate=True) is not None


def folder():
    """The folder of official documents (contract, schemas, samples), or None where it is absent."""
    named = os.environ.get("KSEF_SHARED")
    here = Path(__file__).resolve()
    places = [Path(named), Path(named) / "ksef"] if named else [parent / "shared/ksef" for parent in here.parents]
    return next((place for place in places if (place / "openapi").is_dir()), None)


def _converted(node):
    """OpenAPI 3.0's dialect as plain JSON Schema: ``nullable`` becomes a second type."""
    if isinstance(node, list):
        return [_converted(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _converted(value) for key, value in node.items() if key not in ("nullable", "example")}
    if node.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


class Contract:
    """Operations and schemas; ``exercised`` collects the operations that were answered with success."""

    def __init__(self, path):
        document = json.loads(path.read_text(encoding="utf-8"))
        self.paths = document["paths"]
        self.components = {"schemas": _converted(document["components"]["schemas"])}
        self.exercised = set()
        self._patterns = [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", name) + r"\Z"), name) for name in self.paths]
        # literal paths before those with parameters
        self._patterns.sort(key=lambda item: item[1].count("{"))
        self._validators = {}

    def operations(self):
        """All (METHOD, path)."""
        return {(method.upper(), name) for name, methods in self.paths.items() for method in methods}

    def find(self, method, path):
        """(path of the contract, operation), or (None, None)."""
        for pattern, name in self._patterns:
            if pattern.match(path) and method.lower() in self.paths[name]:
                return name, self.paths[name][method.lower()]
        return None, None

    def _validate(self, schema, value, what):
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {**_converted(schema), "components": self.components}
            self._validators[key] = Draft202012Validator(whole, format_checker=_FORMATS)
        errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
                  for error in self._validators[key].iter_errors(value)]
        assert not errors, f"{what}: {errors[:5]}"

    def check(self, method, path, body, answer):
        """Judge one exchange; raises AssertionError. Undocumented paths and statuses 404, 405, 415, 5xx are left out."""
        name, operation = self.find(method, path.partition("?")[0])
        if operation is None or answer.status_code in (404, 405, 415) or answer.status_code >= 500:
            return
        what = f"{method} {name} -> {answer.status_code}"
        documented = operation["responses"].get(str(answer.status_code))
        assert documented is not None, f"{what}: the contract has no such status"
        self._check_answer(documented, answer, what)
        if answer.status_code < 300:
            self.exercised.add((method, name))
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content and body is not None:
                self._validate(content["schema"], body, f"{what} (request)")

    def _check_answer(self, documented, answer, what):
        contents = documented.get("content")
        if not contents:
            assert not answer.content, f"{what}: a body that the contract does not know"
            return
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in contents, f"{what}: {kind}"
        if kind.endswith("json"):
            self._validate(contents[kind]["schema"], answer.json(), what)
        for header in documented.get("headers", {}):
            if header == "x-ms-meta-hash":
                assert header in answer.headers, f"{what}: no {header}"


@cache
def load():
    """The contract, or None where it is absent."""
    place = folder()
    return Contract(place / "openapi/ksef-openapi-2.9.0.json") if place else None


@cache
def raw_schemas():
    """The schemas of the contract as it writes them."""
    document = json.loads((folder() / "openapi/ksef-openapi-2.9.0.json").read_text(encoding="utf-8"))
    return document["components"]["schemas"]
