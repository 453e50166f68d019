from datetime import UTC, datetime

from odoo.tests import TransactionCase, tagged

from ..ksef import coach_table
from ..ksef.coach import Advice, Original, Where, find_advice
from ..ksef.environment import get_environment
from ..ksef.errors import KsefForbiddenError, KsefLoginError, KsefRateLimitError
from ..ksef.types import StatusInfo
from ..models.ksef_advice_texts import TEXTS


@tagged('post_install', '-at_install')
class TestAdvice(TransactionCase):
    """The error coach in the reader's language (issue 4, point 6)."""

    def test_every_advice_has_words(self):
        self.assertEqual(set(TEXTS), set(coach_table.REMEDIES))
        for key, (who, action, link) in coach_table.REMEDIES.items():
            worded = self.env['ksef.advice']._word_advice(
                Advice(key, who, action, link, original=Original(1, "opis")), get_environment('demo'))
            self.assertTrue(worded['what'] and worded['who_text'], key)
            self.assertEqual(bool(worded['url']), bool(link), key)
            self.assertTrue(all(isinstance(step, str) and step for step in worded['steps']), key)

    def test_original_stands_beside_it(self):
        """S0-01: KSeF's code and words are shown in full."""
        worded = self.env['ksef.advice']._explain('login_signed', KsefLoginError(
            "Uwierzytelnianie zakończone niepowodzeniem", status=415, details=["Brak przypisanych uprawnień"]))
        self.assertEqual((worded['key'], worded['who'], worded['is_self_service']), ('login_no_permissions', 'grantor', False))
        self.assertEqual(worded['original'], ["415 Uwierzytelnianie zakończone niepowodzeniem", "Brak przypisanych uprawnień"])
        text = self.env['ksef.advice']._advice_as_text(worded)
        self.assertIn("415 Uwierzytelnianie zakończone niepowodzeniem; Brak przypisanych uprawnień", text)
        self.assertIn("ZAW-FA", text)

    def test_missing_right_is_named(self):
        """S0-08."""
        worded = self.env['ksef.advice']._explain(Where.SEND, KsefForbiddenError(
            "x", reason_code='missing-permissions', security={'requiredAnyOfPermissions': ('InvoiceWrite',)}))
        self.assertIn("wystawianie faktur", worded['steps'][0])
        self.assertTrue(any("Nadawanie uprawnień" in step for step in worded['steps']))

    def test_limit_names_the_time(self):
        """S2-13: in the reader's time zone."""
        advice = find_advice(Where.SEND, KsefRateLimitError("x", retry_after=120), datetime(2026, 11, 22, 13, 30, tzinfo=UTC))
        worded = self.env['ksef.advice'].with_context(tz='Europe/Warsaw')._word_advice(advice)
        self.assertIn("14:32", worded['steps'][-1])
        self.assertEqual(worded['until'], datetime(2026, 11, 22, 13, 32, tzinfo=UTC).replace(tzinfo=None))

    def test_status_of_an_invoice_and_of_a_login(self):
        explain = self.env['ksef.advice']._explain
        self.assertEqual(explain('invoice', StatusInfo(415)).get('key'), 'invoice_attachment')
        self.assertEqual(self.env['ksef.advice']._explain_stored('login_token', 415)['key'], 'login_token_no_permissions')
