"""KSeF numbers, reference numbers, verification links and QR codes."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ksef import number
from ksef.environment import get_environment
from ksef.errors import KsefConfigError
from ksef.internal_id import check_digit, internal_id_problem
from ksef.qr import invoice_link, qr_png

VALID = [
    "5265877635-20250826-0100001AF629-AF",
    "5265877635-20250916-0200A0D6723E-C2",
    "5265877635-20250916-010040741B3E-46",
    "5265877635-20250626-010080DD2B5E-26",
    "8980017188-20260324-381F0C000000-A2",
    "7740001454-20260204-58008099DD6C-9D",
    "5260215591-20260124-01006068A46A-59",
]
HASH = "UtQp9Gpc51y+u3xApZjIjgkpZ01js+J8KflSPW8WzIE="


@pytest.mark.parametrize("text", VALID)
def test_valid_numbers(text):
    assert number.is_valid_ksef_number(text)
    assert number.crc8(text[:32]) == text[-2:]


def test_collective_identifier_has_the_same_check_sum():
    assert number.crc8("1111111111-IZ202607-65ED02180000") == "E7"


def test_known_answer_of_the_check_sum():
    assert number.crc8("123456789") == "F4"  # the catalogue's check value of CRC-8 (SMBus)


def test_number_of_ksef_1_in_the_form_of_ksef_2():
    assert number.crc8("7781464139-20230721-80B5109675F7") == "2F"
    assert not number.is_valid_ksef_number("7781464139-20230721-80B5109675F7-B5")


def test_number_in_the_form_of_ksef_1():
    parsed = number.parse("7781464139-20230721-80B510-9675F7-B5")
    assert parsed.is_legacy
    assert parsed.technical_part == "80B5109675F7"


def test_parts():
    parsed = number.parse(VALID[0])
    assert parsed == number.KsefNumber("5265877635", date(2025, 8, 26), "0100001AF629", "AF", False)


@pytest.mark.parametrize("text", [
    "", None, 5, VALID[0].lower(), VALID[0] + " ", VALID[0] + "\n", VALID[0][:-1], VALID[0] + "0",
    VALID[0].replace("-", ""),
    "5265877635-20250230-0100001AF629-AF", "0265877635-20250826-0100001AF629-AF", "5265877635-19250826-0100001AF629-AF",
    "526587763٥-20250826-0100001AF629-AF"])
def test_no_numbers(text):
    assert not number.is_valid_ksef_number(text)
    with pytest.raises(ValueError, match=r"KSeF number|day|month"):
        number.parse(text)


@given(st.sampled_from(VALID), st.integers(0, 34), st.sampled_from("0123456789ABCDEF"))
def test_every_wrong_character_is_found(text, position, character):
    changed = text[:position] + character + text[position + 1:]
    assert number.is_valid_ksef_number(changed) == (changed == text)


@given(st.text())
def test_any_text(text):
    assert number.is_valid_ksef_number(text) in (True, False)
    assert number.is_reference(text) == (text.isascii() and 0 < len(text) <= 64 and all(
        character.isalnum() or character in "-_" for character in text) and text[0] not in "-_")


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a?b", "a#b", "a b", "a%2fb", "a\nb", "-a", "x" * 65, None, 5])
def test_no_references(text):
    assert not number.is_reference(text)


def test_reference_in_a_token():
    reference = "20250625-EC-2FDC223000-C2BFC98A9C-4E"
    assert number.token_reference(f" {reference}|nip-5265877635|{'0a' * 32}\n") == reference
    for text in ("", "abc", reference, f"{reference}|nip", f"{reference}|a|b|c", f"x{reference}|a|b"):
        assert number.token_reference(text) is None


class TestLink:
    def link(self, **changes):
        arguments = {
            "environment": get_environment("test"), "seller_nip": "1111111111", "issue_date": date(2026, 2, 1),
            "sha256_b64": HASH} | changes
        return invoice_link(**arguments)

    def test_the_ministrys_example(self):
        assert self.link() == (
            "https://qr-test.ksef.mf.gov.pl/invoice/1111111111/01-02-2026/UtQp9Gpc51y-u3xApZjIjgkpZ01js-J8KflSPW8WzIE")

    @pytest.mark.parametrize(("code", "start"), [
        ("production", "https://qr.ksef.mf.gov.pl/invoice/"), ("demo", "https://qr-demo.ksef.mf.gov.pl/invoice/")])
    def test_environments(self, code, start):
        assert self.link(environment=get_environment(code)).startswith(start)

    def test_local(self):
        environment = get_environment("local", "http://127.0.0.1:8123/v2")
        assert self.link(environment=environment).startswith("http://127.0.0.1:8123/invoice/1111111111/01-02-2026/")

    @pytest.mark.parametrize("nip", ["", "PL1111111111", "111111111", "11111111111", "111-111-11-11", None, 1111111111])
    def test_no_nip(self, nip):
        with pytest.raises(KsefConfigError):
            self.link(seller_nip=nip)

    @pytest.mark.parametrize("text", ["", HASH[:-1], HASH.replace("+", "-"), HASH + "\n", "abcd", None])
    def test_no_hash(self, text):
        with pytest.raises(KsefConfigError):
            self.link(sha256_b64=text)

    def test_picture(self):
        """The picture is read by another program than the one that made it, also scaled down to 2 pixels a module."""
        zxingcpp = pytest.importorskip("zxingcpp", reason="zxing-cpp, which reads QR codes, is not installed")
        link = self.link()
        for pixels in (2, 8, 20):
            image = Image.open(io.BytesIO(qr_png(link, pixels_per_module=pixels)))
            assert image.format == "PNG"
            [code] = zxingcpp.read_barcodes(image.convert("L"))
            assert code.text == link
            assert "QR" in str(code.format)

    def test_picture_has_its_quiet_zone(self):
        image = Image.open(io.BytesIO(qr_png(self.link(), pixels_per_module=3, quiet_zone=4))).convert("L")
        assert image.width == image.height
        assert image.crop((0, 0, image.width, 12)).getextrema() == (255, 255)
        assert image.crop((0, 0, 12, image.height)).getextrema() == (255, 255)
        assert image.getpixel((12, 12)) == 0, "the first finder pattern begins right after it"


@pytest.mark.parametrize(("value", "nip", "problem"), [
    ("6824515772-12343", None, None), ("6824515772-12343", "6824515772", None),  # the example of the contract
    ("6824515772-12344", None, "check_digit"), ("6824515772-12343", "5265877635", "nip"),
    ("6824515772-1234", None, "shape"), ("682451577212343", None, "shape"), ("0824515772-12343", None, "shape"),
    ("6824515772-12343\n", None, "shape"), ("٦824515772-12343", None, "shape"), ("", None, "shape"), (None, None, "shape")])
def test_internal_identifiers(value, nip, problem):
    assert internal_id_problem(value, nip) == problem


@given(st.from_regex(r"[1-9][1-9]\d{8}-\d{4}", fullmatch=True).filter(str.isascii))
def test_every_check_digit_but_one_is_wrong(value):
    right = check_digit(value)
    assert [digit for digit in "0123456789" if internal_id_problem(value + digit) is None] == [right]
