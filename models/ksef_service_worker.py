import logging
import time

import psycopg2.errors
from odoo import SUPERUSER_ID, api, models

from ..ksef.errors import KsefConnectError, KsefError, KsefUnconfirmedError
from ..ksef.latarnia import Latarnia

_logger = logging.getLogger(__name__)
READ_SECONDS = 10


class KsefWorker(models.AbstractModel):
    """Asking the Ministry's availability service, rarely, and at once when KSeF is in trouble."""
    _inherit = 'ksef.worker'

    @api.model
    def _cron_ksef_worker(self):
        """Invoices first: the service is asked when nothing else is due, in what is left of the slice."""
        end = time.monotonic() + self._get_number('slice_seconds')
        super()._cron_ksef_worker()
        self._look_at_services(end)

    @api.model
    def _look_at_services(self, end):
        """Ask every service that is due, until ``end`` (of ``time.monotonic``): claim, commit, ask, write."""
        while (left := end - time.monotonic()) > 0:
            environment = self._claim_service()
            if not environment:
                return
            try:
                with Latarnia(environment, connect_timeout=self._get_settings()['connect_timeout'],
                              read_timeout=max(1, min(READ_SECONDS, left))) as latarnia:
                    status, messages = latarnia.status(), latarnia.messages()
            except KsefError as error:
                _logger.info("KSeF: no answer from the availability service %s: %s", environment.latarnia_url, error)
                status, messages = None, ()
            self._keep_answer(environment, status, messages)

    @api.model
    def _claim_service(self):
        """An environment whose service is due, claimed; a database without a living connection asks nobody."""
        try:
            with self.env.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                connections = env['ksef.connection'].search([('state', 'in', ('signing', 'verifying', 'connected', 'attention'))])
                living = connections.filtered(lambda connection: not connection.is_copied_database)
                return env['ksef.service.state']._claim_due([connection._get_environment() for connection in living])
        except psycopg2.errors.SerializationFailure:
            # Another worker has it: its claim was committed after this transaction began.
            return None

    @api.model
    def _keep_answer(self, environment, status, messages):
        """Write down what was heard; nothing when another worker writes at the same moment: it is asked again when it is due."""
        try:
            with self.env.registry.cursor() as cr:
                states = api.Environment(cr, SUPERUSER_ID, {})['ksef.service.state']
                if status:
                    states._store(environment.latarnia_url, status.status, (*messages, *status.messages))
                else:
                    states._store_unanswered(environment.latarnia_url)
        except psycopg2.errors.SerializationFailure:
            _logger.info("KSeF: another worker writes about the availability service %s", environment.latarnia_url)

    @api.model
    def _pause_connection(self, run, error):
        super()._pause_connection(run, error)
        if isinstance(error, (KsefConnectError, KsefUnconfirmedError)):
            run.commit(lambda env: env['ksef.service.state']._ask_soon(
                env['ksef.connection'].browse(run.connection_id)._get_environment().latarnia_url))
