import logging

import psycopg2
import psycopg2.errors
from odoo import api, fields, models
from odoo.tools import SQL

from .ksef_delivery_mail import ENDED

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
            SELECT y.connection_id, CASE WHEN y.state = 'ready' THEN GREATEST(y.due_at, n.delivery_paused_until) ELSE y.due_at END
              FROM ksef_delivery y JOIN ksef_connection n ON n.id = y.connection_id
             WHERE y.due_at IS NOT NULL AND y.state NOT IN ('waiting', 'cancelled')
               AND n.active AND n.state NOT IN ('draft', 'neutralised') AND n.database_uuid = %s
            UNION ALL
            SELECT d.connection_id, y.write_date
              FROM ksef_delivery y JOIN account_move m ON m.id = y.move_id JOIN ksef_document d ON d.id = m.ksef_document_id
              JOIN ksef_connection n ON n.id = d.connection_id
             WHERE y.state = 'waiting' AND m.ksef_state = 'accepted' AND d.state = 'accepted'
               AND n.active AND n.state NOT IN ('draft', 'neutralised') AND n.database_uuid = %s
            """, super()._due_received_query(), uuid, uuid)

    @api.model
    def _serve_locked(self, run):
        super()._serve_locked(run)
        self._deliver(run)

    @api.model
    def _deliver(self, run):
        """Send the e-mails of the connection that are due; what a dead process has left half done becomes unsure first."""
        self._doubt_interrupted(run)
        if self._may_deliver(run):
            run.commit(lambda env: env['ksef.delivery']._follow_left(run.connection_id))
        for number, delivery_id in enumerate(self._due_deliveries(run, ['ready'])):
            # One in each turn, however long the queue of invoices is. A person may pause it at any moment.
            if (number and run.time_left() <= 0) or self._is_paused(run, 'delivery_paused_until'):
                break
            if self._claim_delivery(run, delivery_id):
                self._mail_delivery(run, delivery_id)
                run.done['delivery'] += 1
        self._show_ended(run)

    @api.model
    def _may_deliver(self, run):
        """Whether this is the database that the connection was made in, and it is in use."""
        with run.transaction() as env:
            connection = env['ksef.connection'].browse(run.connection_id)
            uuid = env['ir.config_parameter'].sudo().get_param('database.uuid')
            return connection.state not in ('draft', 'neutralised') and connection.database_uuid == uuid

    @api.model
    def _due_deliveries(self, run, states):
        if not self._may_deliver(run):
            return []
        with run.transaction() as env:
            return env['ksef.delivery'].search([
                ('connection_id', '=', run.connection_id), ('state', 'in', states), ('due_at', '<=', fields.Datetime.now()),
            ], order='due_at, id').ids

    @api.model
    def _doubt_interrupted(self, run):
        """Under the connection's lock nobody else is mailing: a claimed row belongs to a process that is no more."""
        for delivery_id in self._due_deliveries(run, ['claimed']):
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

    @api.model
    def _show_ended(self, run):
        """How it ended, on the invoice: after the commit of what is known, because a person may be editing the invoice."""
        def show(env, delivery_id):
            env.cr.execute("SET LOCAL lock_timeout = '300ms'")
            env['ksef.delivery'].browse(delivery_id)._show()

        for delivery_id in self._due_deliveries(run, ENDED):
            try:
                run.commit(lambda env, delivery_id=delivery_id: show(env, delivery_id), retried=(psycopg2.errors.SerializationFailure,))
            except psycopg2.OperationalError as error:
                _logger.info("KSeF delivery %s: its invoice is busy, shown later: %s", delivery_id, error)
                run.commit(lambda env, delivery_id=delivery_id: env['ksef.delivery'].browse(delivery_id)._put_off(10))
            except Exception:  # pylint: disable=broad-exception-caught
                # What a program adds to chatter or activities must not be tried for ever.
                _logger.exception("KSeF delivery %s: cannot be shown on its invoice", delivery_id)
                run.commit(lambda env, delivery_id=delivery_id: env['ksef.delivery'].browse(delivery_id)._show_never())
