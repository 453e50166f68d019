import hmac
import logging

from odoo import api, fields, models

from ..ksef.crypto import sha256_b64
from ..ksef.errors import (
    KsefConfigError,
    KsefConnectError,
    KsefError,
    KsefForbiddenError,
    KsefIntegrityError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefUnauthorizedError,
)

_logger = logging.getLogger(__name__)

# After so many refusals or wrong hashes a person has to look; "try again" begins anew.
MOST_ATTEMPTS = 5
FIRST_RETRY, LAST_RETRY = 60, 3600  # seconds


class KsefWorker(models.AbstractModel):
    """Getting the bytes of single invoices that are only listed yet. One that can't be got never stops the others."""
    _inherit = 'ksef.worker'

    @api.model
    def _download_listed(self, run):
        """Get every invoice that is due, as far as KSeF's limits allow."""
        if self._is_paused(run, 'download_paused_until'):
            return
        with run.transaction() as env:
            rows = [(row.id, row.ksef_number, row.xml_hash) for row in env['ksef.received'].search([
                ('connection_id', '=', run.connection_id), ('state', '=', 'listed'), ('due_at', '<=', fields.Datetime.now()),
            ], order='due_at, id')]
        for received_id, number, stated in rows:
            if run.time_left() <= 0 or not self._may_call(run, 'download'):
                return
            try:
                content = self._download_one(run, number, stated)
            except KsefError as error:
                if not self._download_failed(run, received_id, error):
                    return
                continue
            run.commit(lambda env, received_id=received_id, content=content: env['ksef.received'].browse(
                received_id)._store_xml(content, sha256_b64(content)))
            self._resume_connection(run)

    @api.model
    def _download_one(self, run, number, stated):
        """The bytes of one invoice, checked against the hash that KSeF's list gave."""
        content = run.client.invoice_by_number(run.access_token, number)
        if stated and not hmac.compare_digest(sha256_b64(content), stated.strip()):
            raise KsefIntegrityError("The downloaded invoice does not have the hash that KSeF's list states.")
        return content

    @api.model
    def _download_failed(self, run, received_id, error):
        """Return whether the next invoice may be tried."""
        _logger.info("KSeF connection %s: received invoice %s: %s", run.connection_id, received_id, error)
        if isinstance(error, KsefRateLimitError):
            self._pause(run, 'download_paused_until', error)
            return False
        if isinstance(error, KsefUnauthorizedError):
            self._write_credential(run, lambda credential: credential._forget_access())
            self._pause_connection(run, error)
            return False
        if isinstance(error, KsefConnectError):
            self._pause_connection(run, error)
            return False
        is_about_it = isinstance(error, KsefConfigError | KsefIntegrityError | KsefRefusedError | KsefForbiddenError)

        def note(env):
            received = env['ksef.received'].browse(received_id)
            received._lock()
            if received.state != 'listed':
                return
            attempts = received.attempts + 1
            if is_about_it and attempts >= MOST_ATTEMPTS:
                received._transition('failed', attempts=0, problem=env._(
                    "The XML could not be got from KSeF: %(error)s", error=str(error)))
            else:
                received.write({
                    'attempts': attempts, 'problem': str(error),
                    'due_at': env['ksef.document']._backoff(attempts, first=FIRST_RETRY, most=LAST_RETRY)})
        run.commit(note)
        return True
