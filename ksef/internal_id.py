"""Internal identifiers (identyfikatory wewnętrzne): units of a taxpayer as contexts of their own, ``NIP-NNNNC``."""

import re

_SHAPE = re.compile(r"[1-9](?:\d[1-9]|[1-9]\d)\d{7}-\d{5}", re.ASCII)


def internal_id_problem(value, nip=None):
    """Return what is wrong with an internal identifier: ``"shape"``, ``"nip"``, ``"check_digit"``, or None.

    :param nip: the taxpayer that it must belong to, ten digits
    """
    if not _SHAPE.fullmatch(value or ""):
        return "shape"
    if nip and value[:10] != nip:
        return "nip"
    return None if value[-1] == check_digit(value[:-1]) else "check_digit"


def check_digit(value):
    """Return the last digit that belongs to an internal identifier given without it.

    The weights are 1 and 3 by turns, the sum is taken modulo 10 (POST /permissions/subunits/grants: 6824515772-1234 has 3).
    """
    digits = [int(character) for character in value if character != "-"]
    return str(sum(digit * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10)
