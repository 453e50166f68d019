"""The official contract as a source of good and bad requests: schemathesis against every operation, in a short form.

Schemathesis lives in a virtual environment of its own (it pulls other versions of common libraries). The long form::

    schemathesis run CONTRACT --url http://127.0.0.1:PORT/v2 -H "Authorization: Bearer ACCESS_TOKEN" -n 100
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from . import contract
from .test_signed_login import enter

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "negative_data_rejection", "unsupported_method")
EXAMPLES = 4


def program():
    """The schemathesis command, or None."""
    named = os.environ.get("SCHEMATHESIS")
    beside = Path(__file__).resolve().parents[2] / ".odoo/lint/bin/schemathesis"
    return named or (str(beside) if beside.exists() else shutil.which("schemathesis"))


@pytest.mark.timeout(900)
def test_contract_driven_requests(sandbox, own_nip, tmp_path):
    if contract.folder() is None:
        pytest.skip("the folder of official documents is absent")
    if program() is None:
        pytest.skip("schemathesis is not installed (set SCHEMATHESIS to its command)")
    caller = sandbox.caller()
    enter(caller, own_nip)
    done = subprocess.run(
        [program(), "run", str(contract.folder() / "openapi/ksef-openapi-2.9.0.json"), "--url", f"{caller.origin}/v2",
         "-H", f"Authorization: Bearer {caller.access}", "-H", "X-Error-Format: problem-details",
         "--checks", ",".join(CHECKS), "--phases", "fuzzing", "-n", str(EXAMPLES), "--no-shrink", "--seed", "1",
         "--warnings", "off", "--continue-on-failure", "--request-timeout", "20", "--suppress-health-check", "all"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")})
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "83 passed" in done.stdout
