"""KSeF numbers (numer KSeF) and reference numbers (numer referencyjny): shape and check sum."""

import re
from dataclasses import dataclass
from datetime import date

_KSEF_NUMBER = re.compile(
    r"(?P<nip>[1-9](?:\d[1-9]|[1-9]\d)\d{7})-(?P<year>20[2-9]\d|2[1-9]\d\d|[3-9]\d{3})(?P<month>\d\d)(?P<day>\d\d)"
    r"-(?P<first>[0-9A-F]{6})(?P<dash>-?)(?P<second>[0-9A-F]{6})-(?P<crc>[0-9A-F]{2})",
    re.ASCII,
)
# The contract says 36 characters of one shape; what matters here is that the value is safe inside a URL path.
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_KSEF_TOKEN = re.compile(r"(\d{8}-[A-Z]{2}-[0-9A-F]{10}-[0-9A-F]{10}-[0-9A-F]{2})\|[^|]+\|[^|]+", re.ASCII)


def _crc_of_byte(crc):
    for _bit in range(8):
        crc = ((crc << 1) ^ 0x07) & 0xFF if crc & 0x80 else (crc << 1) & 0xFF
    return crc


_CRC_OF_BYTE = tuple(map(_crc_of_byte, range(256)))


@dataclass(frozen=True)
class KsefNumber:
    """Parts of a KSeF number. ``accepted_on`` is the day KSeF took the invoice, not its issue date.

    ``is_legacy``: the 36-character form of KSeF 1.0, whose check sum follows no published rule.
    """

    seller_nip: str
    accepted_on: date
    technical_part: str
    check_sum: str
    is_legacy: bool


def crc8(text):
    """Return the CRC-8 of ASCII ``text`` as two upper-case hex digits (polynomial 0x07, start 0, nothing reflected)."""
    crc = 0
    for byte in text.encode("ascii"):
        crc = _CRC_OF_BYTE[crc ^ byte]
    return f"{crc:02X}"


def parse(number):
    """Return the :class:`KsefNumber` written in ``number``.

    The check sum covers everything before the last dash. It is checked for the 35-character form only.

    :raise ValueError: not a KSeF number, or its check sum is wrong
    """
    match = _KSEF_NUMBER.fullmatch(number) if isinstance(number, str) else None
    if not match:
        raise ValueError("This is not a KSeF number (NIP-YYYYMMDD-XXXXXXXXXXXX-XX).")
    accepted_on = date(int(match["year"]), int(match["month"]), int(match["day"]))  # ValueError for 30 February
    is_legacy = bool(match["dash"])
    if not is_legacy and crc8(number.rpartition("-")[0]) != match["crc"]:
        raise ValueError("The check sum at the end of this KSeF number is wrong.")
    return KsefNumber(match["nip"], accepted_on, match["first"] + match["second"], match["crc"], is_legacy)


def is_valid_ksef_number(number):
    """Whether ``number`` has the shape of a KSeF number and, in its 35-character form, the right check sum."""
    try:
        parse(number)
    except ValueError:
        return False
    return True


def is_reference(value):
    """Whether ``value`` can be a reference number or an identifier in a path: short, of harmless characters only."""
    return isinstance(value, str) and bool(_REFERENCE.fullmatch(value))


def token_reference(ksef_token):
    """Return the reference number that a KSeF token starts with (``reference|nip-…|secret``), or None."""
    match = _KSEF_TOKEN.fullmatch(ksef_token.strip())
    return match and match[1]
