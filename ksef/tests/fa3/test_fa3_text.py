"""Text helpers and simple types: white space, forbidden characters, lengths, numbers."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksef.fa3 import lexical, text

D = Decimal


@given(st.text())
def test_collapsed_text_is_collapsed(raw):
    collapsed = text.collapse(raw)
    assert text.is_collapsed(collapsed)
    assert text.collapse(collapsed) == collapsed
    kept = [character for character in collapsed if character != ' ']
    assert kept == [character for character in raw if character not in '\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f ']


def test_collapsing_nothing():
    assert text.collapse(None) == text.collapse(False) == text.collapse(' \n ') == ''


def test_no_break_space_is_no_white_space_of_xml():
    assert text.collapse("10\u00a0000 zł") == "10\u00a0000 zł"


@given(st.text().map(text.collapse), st.integers(2, 40))
def test_split_pieces_fit_and_nothing_is_lost(collapsed, limit):
    pieces = text.split(collapsed, limit)
    assert all(0 < len(piece) <= limit for piece in pieces)
    assert ''.join(pieces).replace(' ', '') == collapsed.replace(' ', '')
    assert all(text.is_collapsed(piece) for piece in pieces)
    if all(len(word) <= limit for word in collapsed.split(' ')):
        assert ' '.join(pieces) == collapsed


@given(st.text().map(text.collapse), st.integers(3, 40))
def test_shortened_text_fits(collapsed, limit):
    short = text.shorten(collapsed, limit)
    assert len(short) <= limit
    assert short == collapsed if len(collapsed) <= limit else collapsed.startswith(short.removesuffix('…'))


FORBIDDEN = ['\x00', '\x01', '\x08', '\x0e', '\x1b', '\x7f', '\x84', '\x86', '\x9f', '\ufdd0', '\ufdef', '\ufffe', '\uffff',
             '\U0001fffe', '\U0001ffff', '\U0010ffff', '\ud800', '\udfff']
ALLOWED = ['a', 'ł', '\x85', '\xa0', '\ufdcf', '\ufdf0', '\ufffd', '\U0001f600', '\U0001fffd', '\u2028', '\ufeff']


@pytest.mark.parametrize('character', FORBIDDEN)
def test_forbidden_characters(character):
    assert text.find_forbidden(f'ab{character}') == (2, f'U+{ord(character):04X}')
    code, values, _sentence = lexical.TEXT_256.problem(f'ab{character}')
    assert (code, values['position']) == ('character-forbidden', 3)


@pytest.mark.parametrize('character', ALLOWED)
def test_allowed_characters(character):
    assert text.find_forbidden(character) is None
    assert lexical.TEXT_256.problem(f'a{character}b') is None


@pytest.mark.parametrize(('kind', 'value', 'code'), [
    (lexical.TEXT_256, '', 'text-empty'), (lexical.TEXT_256, ' a', 'text-spaces'), (lexical.TEXT_256, 'a\nb', 'text-spaces'),
    (lexical.TEXT_256, 'a  b', 'text-spaces'), (lexical.TEXT_256, 'a' * 257, 'text-too-long'),
    (lexical.NIP, '123', 'nip-format'), (lexical.NIP, '0123456789', 'nip-format'), (lexical.NIP, '1003456789', 'nip-format'),
    (lexical.NIP, '٥٧٩٥٩٥٥٨١١', 'nip-format'), (lexical.EU_VAT_NUMBER, '1' * 13, 'eu-vat-format'),
    (lexical.EU_VAT_NUMBER, 'abc', 'eu-vat-format'), (lexical.EMAIL, 'a', 'email-format'),
    (lexical.ACCOUNT, '123', 'account-format'), (lexical.ACCOUNT, '1' * 35, 'account-format'),
    (lexical.ACCOUNT, '61 1090 1014', 'account-format'), (lexical.SWIFT, 'WBK', 'swift-format'),
    (lexical.COUNTRY, 'ZZ', 'country-unknown'), (lexical.PHONE, '1' * 17, 'text-too-long'),
    (lexical.AMOUNT, D('1.005'), 'number-decimals'), (lexical.AMOUNT, D(10) ** 16, 'number-too-large'),
    (lexical.AMOUNT, D('NaN'), 'number-invalid'), (lexical.AMOUNT, D('-Infinity'), 'number-invalid'),
    (lexical.PRICE, D('0.123456789'), 'number-decimals'), (lexical.PRICE, D(10) ** 14, 'number-too-large'),
    (lexical.QUANTITY, D('0.1234567'), 'number-decimals'), (lexical.PERCENTAGE, D('100.1'), 'number-range'),
    (lexical.PERCENTAGE, D(-1), 'number-range'), (lexical.ORDINAL, 0, 'number-range'),
    (lexical.ORDINAL, 10 ** 14, 'number-range'), (lexical.DAY, date(2005, 12, 31), 'date-range'),
    (lexical.DAY, date(2050, 1, 2), 'date-range'), (lexical.PAYMENT_DAY, date(2016, 6, 30), 'date-range'),
    (lexical.CREATION, datetime(2025, 8, 31, 23, 59, 59, tzinfo=UTC), 'date-range'),
])
def test_problems(kind, value, code):
    assert kind.problem(value)[0] == code


@pytest.mark.parametrize(('kind', 'value', 'written'), [
    (lexical.AMOUNT, D('1.5'), '1.50'), (lexical.AMOUNT, D('1E+3'), '1000.00'), (lexical.AMOUNT, D('-0.00'), '0.00'),
    (lexical.AMOUNT, D('-12.30'), '-12.30'), (lexical.PRICE, D('1.10000'), '1.10'), (lexical.PRICE, D('0.00000001'), '0.00000001'),
    (lexical.PRICE, D('1E-8'), '0.00000001'), (lexical.QUANTITY, D('3.000'), '3'), (lexical.QUANTITY, D('-0.5'), '-0.5'),
    (lexical.QUANTITY, D('100'), '100'), (lexical.ORDINAL, 7, '7'), (lexical.DAY, date(2026, 1, 2), '2026-01-02'),
    (lexical.CREATION, datetime.fromisoformat('2026-11-21T12:00:00+02:00'), '2026-11-21T10:00:00Z'),
    (lexical.YES_NO, True, '1'), (lexical.YES_NO, False, '2'),
])
def test_written_values(kind, value, written):
    assert kind.problem(value) is None
    assert kind.to_text(value) == written


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-10**13, max_value=10**13))
def test_numbers_are_written_exactly(value):
    written = lexical.PRICE.to_text(value)
    assert Decimal(written) == value
    assert written != '-0.00'
    assert 'E' not in written


def test_nothing_forbidden_is_printable():
    """The short cut of find_forbidden: a printable text is never looked at more closely."""
    characters = map(chr, range(0x110000))
    assert [character for character in characters if text.FORBIDDEN.match(character) and character.isprintable()] == []
    assert not text.FORBIDDEN.match('\n')
