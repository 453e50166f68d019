"""Where KSeF's own OpenAPI file is, if it is at hand.

The file is not part of this project: KSEF_SHARED names the folder of the official documents (its own, or its ``ksef``),
else a folder ``shared/ksef`` beside the checkout is looked for.
"""

import os
from pathlib import Path

FILE = "openapi/ksef-openapi-2.9.0.json"


def find_contract():
    """Return the path of the OpenAPI file, or None."""
    named = os.environ.get("KSEF_SHARED")
    folders = [Path(named), Path(named) / "ksef"] if named else [
        parent / "shared/ksef" for parent in Path(__file__).resolve().parents]
    return next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)
