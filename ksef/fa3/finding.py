"""What a check found: data, not text for a user.

The texts shown to people are made by the caller (in Odoo: translated, in the words of its own fields);
``message`` is an English sentence for developers, logs and tests.
"""

from dataclasses import dataclass, field
from typing import Any

ERROR = 'error'
WARNING = 'warning'


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth a look, in an invoice.

    * ``severity``: ``'error'`` (the invoice must not be sent) or ``'warning'`` (a person has to confirm it);
    * ``code``: stable slug, such as ``'nip-checksum'``; never shown to users, used to look up texts;
    * ``path``: where it stands in the model (``'buyer.identifier.nip'``, ``'lines[2].unit_price'``), empty for the
      whole invoice;
    * ``values``: what is needed to say it in words (always plain strings, numbers, dates);
    * ``message``: the finding in English.
    """

    severity: str
    code: str
    path: str
    values: dict[str, Any] = field(default_factory=dict)
    message: str = ''

    def __post_init__(self):
        if self.severity not in (ERROR, WARNING):
            raise ValueError(f"unknown severity {self.severity!r}")


def error(code: str, path: str, message: str, **values: Any) -> Finding:
    """Return a finding that forbids sending."""
    return Finding(ERROR, code, path, values, message)


def warning(code: str, path: str, message: str, **values: Any) -> Finding:
    """Return a finding that a person has to confirm."""
    return Finding(WARNING, code, path, values, message)


def has_errors(findings) -> bool:
    """Tell whether any of the findings forbids sending."""
    return any(finding.severity == ERROR for finding in findings)
