from odoo import api, models
from odoo.tools import SQL

from .ksef_invoice_self_billing import SELF_BILLED_TYPES


class KsefReceived(models.Model):
    _inherit = 'ksef.received'

    @api.model
    def _after_stored(self, ids):
        """What the company issued itself in a supplier's name comes back as a purchase: its bill is there already."""
        if ids:
            self.env.flush_all()
            self.env.cr.execute(SQL(
                """
                UPDATE ksef_received r SET state = 'linked', move_id = d.move_id, due_at = NULL
                  FROM ksef_document d JOIN account_move m ON m.id = d.move_id
                 WHERE r.id IN %(ids)s AND r.state IN ('listed', 'stored') AND r.role = 'buyer' AND m.move_type IN %(types)s
                   AND d.state = 'accepted' AND d.ksef_number = r.ksef_number AND d.environment = r.environment
                   AND (d.company_id = r.company_id OR d.connection_id = r.connection_id)
                   AND NOT EXISTS (SELECT 1 FROM ksef_received o WHERE o.move_id = d.move_id)
                """, ids=tuple(ids), types=SELF_BILLED_TYPES))
            self.browse(ids).invalidate_recordset()
        return super()._after_stored(ids)
