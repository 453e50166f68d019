from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ..ksef.certificate_info import CertificateProblem
from ..ksef.offline import suggested_mode
from .ksef_dates import warsaw_date
from .ksef_service_state import LIFE

# So long after the last attempt that failed KSeF counts as out of reach, where nothing was tried since.
OUT_OF_REACH = timedelta(hours=1)


class KsefConnection(models.Model):
    """What issuing offline needs of a connection: its certificate of type Offline, and what the Ministry has announced."""
    _inherit = 'ksef.connection'

    def _get_offline_credential(self):
        """The certificate whose signature stands in code II, empty when there is none that serves."""
        self.ensure_one()
        return self.env['ksef.credential'].sudo().search([
            ('connection_id', '=', self.id), ('kind', '=', 'offline'), ('is_default', '=', True), ('secret', '!=', False),
        ], limit=1).filtered(lambda credential: credential.state in ('usable', 'ending'))

    def _get_offline_pair(self):
        """The certificate of type Offline with its key (``ksef.certificates.KeyPair``).

        :raise UserError: there is none that serves; the message says what to do
        """
        self.ensure_one()
        credential = self._get_offline_credential()
        if not credential:
            raise UserError(self._get_offline_missing_text())
        try:
            return credential._get_pair()
        except CertificateProblem:
            raise UserError(self.env._(
                "The key of the Offline certificate cannot be read, so nothing can be issued offline. An administrator must get "
                "another one: KSeF → Connections → “Get an offline certificate”.")) from None

    def _get_offline_missing_text(self):
        """Why nothing can be issued offline, and the next click."""
        return self.env._(
            "To issue invoices offline, %(company)s needs a valid KSeF certificate of the type Offline: its signature stands in the "
            "second QR code. There is none. An administrator gets it while KSeF works: KSeF → Connections → “Get an "
            "offline certificate”, or uploads one from the taxpayer application.", company=self.company_id.display_name)

    def _get_outages(self):
        """Announced events of this connection's environment (``ksef.outage``)."""
        self.ensure_one()
        return self.env['ksef.outage']._of(self._get_environment())

    def _suggest_offline_mode(self):
        """The ``ksef.offline.OfflineMode`` to propose now."""
        self.ensure_one()
        state = self.env['ksef.service.state'].sudo().search(
            [('latarnia_url', '=', self._get_environment().latarnia_url)], limit=1)
        running = self._get_outages()._running()
        status = state.status if state.checked_at and state.checked_at > fields.Datetime.now() - LIFE else None
        return suggested_mode(warsaw_date(fields.Datetime.now()), running._as_events(), status)

    def _is_out_of_reach(self):
        """Whether calls to KSeF fail at present for reasons that are nobody's mistake here: none has been answered since the last
        one that failed (``failures`` is counted from the last answer), and that isn't long ago."""
        self.ensure_one()
        return bool(self.failures) and bool(self.paused_until) and self.paused_until > fields.Datetime.now() - OUT_OF_REACH
