"""Numbers that the sandbox gives out: reference numbers, KSeF numbers, collective identifiers, permission ids."""

import random
import re
import secrets
import uuid

from .clock import warsaw

NIP = re.compile(r"[1-9]((\d[1-9])|([1-9]\d))\d{7}", re.ASCII)
INTERNAL_ID = re.compile(NIP.pattern + r"-\d{5}", re.ASCII)
REFERENCE = re.compile(r"\d{8}-[0-9A-Z]{2}-[0-9A-F]{10}-[0-9A-F]{10}-[0-9A-F]{2}", re.ASCII)
KSEF_NUMBER = re.compile(
    r"([1-9](\d[1-9]|[1-9]\d)\d{7})-(20[2-9][0-9]|2[1-9]\d{2}|[3-9]\d{3})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
    r"-([0-9A-F]{6})-?([0-9A-F]{6})-([0-9A-F]{2})",
    re.ASCII,
)

# Two-letter kinds inside a reference number.
CHALLENGE, AUTH, ONLINE, BATCH, INVOICE, UPO, EXPORT, TOKEN, OPERATION = (
    "CR", "AU", "SO", "SB", "EE", "EU", "EH", "EC", "EG")


def _crc8_step(byte):
    for _ in range(8):
        byte = ((byte << 1) ^ 0x07) & 0xFF if byte & 0x80 else byte << 1
    return byte


_CRC8 = bytes(map(_crc8_step, range(256)))


def crc8(value):
    """CRC-8 (polynomial 0x07, start 0, no reflection) of an ASCII text, as two upper-case hex digits."""
    crc = 0
    for byte in value.encode("ascii"):
        crc = _CRC8[crc ^ byte]
    return f"{crc:02X}"


def nip_checksum_ok(nip):
    """True when the tenth digit of a NIP is the check digit of the first nine."""
    total = sum(int(digit) * weight for digit, weight in zip(nip[:9], (6, 5, 7, 2, 3, 4, 5, 6, 7), strict=True))
    return total % 11 == int(nip[9])


def internal_id_checksum_ok(value):
    """True when the last digit of an internal identifier (NIP-NNNNN) is its check digit."""
    digits = value.replace("-", "")
    total = sum(int(digit) * (1 if index % 2 == 0 else 3) for index, digit in enumerate(digits[:14]))
    return total % 10 == int(digits[14])


class Numbers:
    """Source of identifiers. With a seed (any text) the same run gives the same ones; without it they are random."""

    def __init__(self, clock, seed=None):
        self._clock = clock
        self._random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311  repeatable on purpose
        self._seeded = seed is not None

    def _hex(self, digits):
        return f"{self._random.getrandbits(4 * digits):0{digits}X}"

    def reference(self, kind):
        """A new reference number of one kind, such as ``20261121-SO-0123456789-ABCDEF0123-4F``."""
        body = f"{self._clock.now():%Y%m%d}-{kind}-{self._hex(10)}-{self._hex(10)}"
        return f"{body}-{crc8(body)}"

    def ksef_number(self, nip, moment):
        """A new KSeF number: seller's NIP, Polish day of acceptance, twelve random hex digits, CRC-8."""
        body = f"{nip}-{warsaw(moment):%Y%m%d}-{self._hex(12)}"
        return f"{body}-{crc8(body)}"

    def collective(self, nip, moment):
        """A new collective identifier (identyfikator zbiorczy)."""
        body = f"{nip}-IZ{warsaw(moment):%Y%m}-{self._hex(12)}"
        return f"{body}-{crc8(body)}"

    def uuid(self):
        """A new permission id."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def secret(self):
        """64 hex digits, the secret part of a KSeF token."""
        return self._hex(64).lower() if self._seeded else secrets.token_hex(32)

    def serial(self):
        """A new certificate serial number: 16 upper-case hex digits, the first one not above 7."""
        return f"{self._random.randrange(1 << 60, 1 << 63):016X}"

    def fraction(self):
        """A random number in [0, 1), for small lags and for faults with a probability."""
        return self._random.random()

    def trace(self):
        """A trace id for error answers."""
        return self._hex(32).lower()
