"""Collective identifiers (identyfikatory zbiorcze) against the sandbox."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from ksef_test_sandbox import BUYER, SELLER, Sending, log_in, make_xml, wait

from ksef import api
from ksef.client_collective import MOST_ASKED
from ksef.errors import ApiCode, KsefConfigError, KsefRefusedError, KsefUnconfirmedError
from ksef.limits import group_of
from ksef.number import crc8
from ksef.types import CollectiveInvoice

GENERATE = "POST /collective-identifiers"
ABSENT = "5265877635-20250826-0100001AF629-AF"


@pytest.fixture
def buyer(ksef, sandbox):
    """An access token of the company that the invoices are for, and that pays them."""
    return log_in(ksef, sandbox.token(nip=BUYER), BUYER).access


@pytest.fixture
def numbers(ksef, buyer, sending):
    """KSeF numbers of three invoices of one seller, which the buyer can see."""
    found = [sending.result(make_xml()).ksef_number for _invoice in range(3)]
    for number in found:
        wait(lambda number=number: is_there(ksef, buyer, number))
    return found


def is_there(ksef, access, number):
    """Whether KSeF has stored the invoice."""
    try:
        return ksef.invoice_by_number(access, number)
    except KsefRefusedError:
        return False


def make(ksef, access, *numbers):
    return ksef.generate_collective(access, [CollectiveInvoice(number) for number in numbers])


class TestCollective:
    def test_made_and_found(self, ksef, buyer, access, numbers):
        paid = CollectiveInvoice(numbers[0], Decimal("10.50"), "PLN", "rata 1")
        number = ksef.generate_collective(buyer, [paid, CollectiveInvoice(numbers[1])])
        assert number.startswith(f"{SELLER}-IZ{datetime.now(UTC):%Y}") and len(number) == 35
        assert crc8(number.rpartition("-")[0]) == number[-2:]
        found = {item.ksef_number: item for item in ksef.collective_invoices(buyer, [number])}
        assert set(found) == set(numbers[:2]) and {item.collective_number for item in found.values()} == {number}
        assert (found[numbers[0]].amount, found[numbers[0]].currency, found[numbers[0]].description) == (
            Decimal("10.5"), "PLN", "rata 1")
        assert (found[numbers[1]].amount, found[numbers[1]].currency, found[numbers[1]].description) == (None, None, None)
        [ours] = ksef.collectives_of(buyer, numbers[0])
        [theirs] = ksef.collectives_of(access, numbers[0])
        assert (ours.number, ours.is_own, theirs.number, theirs.is_own) == (number, True, number, False)
        assert abs(datetime.now(UTC) - ours.created_at) < timedelta(minutes=1)
        assert not list(ksef.collectives_of(buyer, numbers[2]))

    def test_each_call_makes_another_one(self, ksef, buyer, numbers):
        assert len({make(ksef, buyer, *numbers), make(ksef, buyer, *numbers)}) == 2
        assert not api.GENERATE_COLLECTIVE.repeatable

    def test_list(self, ksef, buyer, access, numbers):
        two, three = make(ksef, buyer, *numbers[:2]), make(ksef, buyer, *numbers)
        now = datetime.now(UTC)
        span = now - timedelta(days=99), now + timedelta(seconds=5)
        assert {item.number: item.invoices for item in ksef.collectives(buyer, *span)} == {two: 2, three: 3}
        assert [item.number for item in ksef.collectives(buyer, *span, least=3)] == [three]
        assert [item.number for item in ksef.collectives(buyer, *span, most=2)] == [two]
        assert [item.number for item in ksef.collectives(buyer, *span, number=three)] == [three]
        assert not list(ksef.collectives(access, *span, own=True))
        assert len(list(ksef.collectives(access, *span, own=False))) == 2
        assert not list(ksef.collectives(buyer, now - timedelta(days=9), now - timedelta(days=8)))

    def test_pages(self, ksef, buyer, numbers, monkeypatch):
        monkeypatch.setattr("ksef.client_collective._PAGE", 10)
        monkeypatch.setattr("ksef.client_collective._INVOICE_PAGE", 10)
        made = [make(ksef, buyer, *numbers[:2]) for _time in range(12)]
        assert sorted(item.number for item in ksef.collectives_of(buyer, numbers[0])) == sorted(made)
        assert len(list(ksef.collective_invoices(buyer, made[:MOST_ASKED]))) == 2 * MOST_ASKED
        now = datetime.now(UTC)
        assert len(list(ksef.collectives(buyer, now - timedelta(days=1), now + timedelta(seconds=5)))) == 12

    def test_details_of_strangers(self, ksef, sandbox, buyer, numbers):
        number = ksef.generate_collective(buyer, [
            CollectiveInvoice(numbers[0], Decimal(10), "PLN"), CollectiveInvoice(numbers[1])])
        stranger = log_in(ksef, sandbox.token(nip="7740001454"), "7740001454").access
        assert {item.ksef_number: (item.is_hidden, item.amount) for item in ksef.collective_invoices(stranger, [number])} == {
            numbers[0]: (True, None), numbers[1]: (False, None)}

    def test_refusals(self, ksef, sandbox, buyer, numbers):
        other = Sending(ksef, buyer).result(make_xml(seller=BUYER)).ksef_number
        wait(lambda: is_there(ksef, buyer, other))
        for code, given in {
            ApiCode.COLLECTIVE_INVOICE_NOT_FOUND: (numbers[0], ABSENT),
            ApiCode.COLLECTIVE_DIFFERENT_SELLERS: (numbers[0], other),
            ApiCode.COLLECTIVE_REPEATED_NUMBER: (numbers[0], numbers[0]),
        }.items():
            with pytest.raises(KsefRefusedError) as refused:
                make(ksef, buyer, *given)
            assert refused.value.code == code and given[1] in " ".join(refused.value.details)
        for few in (numbers[:1], []):
            with pytest.raises(KsefConfigError):
                make(ksef, buyer, *few)
        for invoice in (CollectiveInvoice(numbers[0], Decimal(1)), CollectiveInvoice(numbers[0], description="x" * 513)):
            with pytest.raises(KsefConfigError):
                ksef.generate_collective(buyer, [invoice, CollectiveInvoice(numbers[1])])
        for count in (0, MOST_ASKED + 1):
            with pytest.raises(KsefConfigError):
                list(ksef.collective_invoices(buyer, [ABSENT] * count))

    def test_lost_answer(self, ksef, sandbox, buyer, numbers):
        """After an unanswered call the identifier is found by its invoices."""
        sandbox.fault(GENERATE, "drop_after")
        with pytest.raises(KsefUnconfirmedError):
            make(ksef, buyer, *numbers)
        [found] = ksef.collectives_of(buyer, numbers[1])
        assert {item.ksef_number for item in ksef.collective_invoices(buyer, [found.number])} == set(numbers)

    def test_answer_without_a_number(self, ksef, sandbox, buyer, numbers, client):
        with pytest.raises(KsefUnconfirmedError):
            make(client({"collectiveIdentifierNumber": "nie/to"}), buyer, *numbers)

    def test_limits(self):
        assert {group_of(operation)[0] for operation in (
            api.GENERATE_COLLECTIVE, api.COLLECTIVES, api.COLLECTIVE_INVOICES, api.COLLECTIVES_OF)} == {"collectiveIdentifier"}
