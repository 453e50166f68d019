import logging
from datetime import timedelta

import psycopg2
from odoo import api, fields, models

_logger = logging.getLogger(__name__)

BUSY_SECONDS = 20


class KsefWorker(models.AbstractModel):
    """Making the bills that a person asked for in a large number; needs no KSeF."""
    _inherit = 'ksef.worker'

    @api.model
    def _make_bills(self, run):
        """Make the bills that are wanted, each in a transaction of its own."""
        with run.transaction() as env:
            ids = env['ksef.received'].search([
                ('connection_id', '=', run.connection_id), ('bill_wanted', '=', True), ('due_at', '<=', fields.Datetime.now()),
            ], order='due_at, id').ids
        for received_id in ids:
            if run.time_left() <= 0:
                return
            try:
                run.commit(lambda env, received_id=received_id: env['ksef.received'].browse(
                    received_id)._make_wanted_bill())
            except psycopg2.OperationalError as error:
                _logger.info("KSeF invoice %s: busy, its bill is made later: %s", received_id, error)
                run.commit(lambda env, received_id=received_id: env['ksef.received'].browse(received_id)._make_bill_later())
            except Exception:  # pylint: disable=broad-exception-caught
                # A mistake of the program, or of one that extends it, in one invoice: a person is told, the others go on.
                _logger.exception("KSeF invoice %s: making its bill failed", received_id)
                run.commit(lambda env, received_id=received_id: env['ksef.received'].browse(received_id)._fail_bill())


class KsefReceived(models.Model):
    _inherit = 'ksef.received'

    def _make_bill_later(self):
        """Somebody holds what the bill needs: try again in a moment."""
        self._lock()
        self.filtered('bill_wanted').due_at = fields.Datetime.now() + timedelta(seconds=BUSY_SECONDS)

    def _fail_bill(self):
        """The program itself failed with this invoice."""
        self._lock()
        self.write({'state': 'failed', 'bill_wanted': False, 'due_at': False, 'problem': self.env._(
            "The program failed while it made the bill; the administrator finds the reason in the server's log.")})
