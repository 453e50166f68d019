import logging

import psycopg2
from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)


class KsefWorker(models.AbstractModel):
    """Delivering what waited for KSeF numbers. No call to KSeF is made here."""
    _inherit = 'ksef.worker'

    @api.model
    def _due_received_query(self):
        """Deliveries are due for a connection in the database that it was made in; a copy mails nobody's customers."""
        uuid = self.env['ir.config_parameter'].sudo().get_param('database.uuid')
        return SQL(
            """
            %s
            UNION ALL
            SELECT y.connection_id, y.due_at
              FROM ksef_delivery y JOIN ksef_connection n ON n.id = y.connection_id
             WHERE y.due_at IS NOT NULL AND y.state IN ('ready', 'claimed')
               AND n.active AND n.state NOT IN ('draft', 'neutralised') AND n.database_uuid = %s
            """, super()._due_received_query(), uuid)

    @api.model
    def _serve_locked(self, run):
        super()._serve_locked(run)
        self._deliver(run)

    @api.model
    def _deliver(self, run):
        """Send the e-mails of the connection that are due; what a dead process has left half done becomes unsure first."""
        self._doubt_interrupted(run)
        for delivery_id in self._due_deliveries(run, 'ready'):
            if run.time_left() <= 0:
                return
            if self._claim_delivery(run, delivery_id):
                self._mail_delivery(run, delivery_id)

    @api.model
    def _due_deliveries(self, run, state):
        with run.transaction() as env:
            connection = env['ksef.connection'].browse(run.connection_id)
            uuid = env['ir.config_parameter'].sudo().get_param('database.uuid')
            if connection.state in ('draft', 'neutralised') or connection.database_uuid != uuid:
                return []
            return env['ksef.delivery'].search([
                ('connection_id', '=', run.connection_id), ('state', '=', state), ('due_at', '<=', fields.Datetime.now()),
            ], order='due_at, id').ids

    @api.model
    def _doubt_interrupted(self, run):
        """Under the connection's lock nobody else is mailing: a claimed row belongs to a process that is no more."""
        for delivery_id in self._due_deliveries(run, 'claimed'):
            run.commit(lambda env, delivery_id=delivery_id: env['ksef.delivery'].browse(delivery_id)._doubt())

    @api.model
    def _claim_delivery(self, run, delivery_id):
        """Print and write the message, and commit the claim; return whether it may be mailed now."""
        try:
            return run.commit(lambda env: env['ksef.delivery'].browse(delivery_id)._claim())
        except psycopg2.OperationalError as error:
            _logger.info("KSeF delivery %s: its invoice is busy, sent later: %s", delivery_id, error)
            run.commit(lambda env: env['ksef.delivery'].browse(delivery_id)._put_off(10))
            return False
        except Exception as error:  # pylint: disable=broad-exception-caught
            # A print that fails, or a mistake in a template, stops this one message and not the others.
            _logger.exception("KSeF delivery %s: cannot be prepared", delivery_id)
            run.commit(lambda env, error=error: env['ksef.delivery'].browse(delivery_id)._give_up(error))
            return False

    @api.model
    def _mail_delivery(self, run, delivery_id):
        """Ask the mail server, once: whatever goes wrong from here on, nobody knows whether the message went."""
        try:
            with run.transaction() as env:
                env['ksef.delivery'].browse(delivery_id)._mail()
        except Exception:  # pylint: disable=broad-exception-caught
            _logger.exception("KSeF delivery %s: interrupted while it was mailed", delivery_id)
            run.commit(lambda env: env['ksef.delivery'].browse(delivery_id)._doubt())
