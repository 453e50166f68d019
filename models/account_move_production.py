from odoo import api, models
from odoo.exceptions import UserError

from .account_move_send import EDI_KEY


class AccountMove(models.Model):
    """The first invoice to production, whatever the way it is picked: form, list, Odoo's Send wizard, API."""
    _inherit = 'account.move'

    def _ksef_production_to_confirm(self):
        """The connections of the invoices' companies that ask before their first invoice."""
        connections = self.env['ksef.connection'].union(*(company._ksef_connection() for company in self.sudo().company_id))
        return connections._asks_production()

    def _ksef_check_pickable(self):
        super()._ksef_check_pickable()
        asking = self._ksef_production_to_confirm()
        if asking:
            raise UserError(self._ksef_production_message(asking))

    @api.model
    def _ksef_production_message(self, connections):
        return self.env._(
            "This would be the first invoice that %(companies)s sends to production, where invoices have legal effect. Confirm that once: "
            "open the invoice, click “Send to KSeF” and tick the sentence about production.",
            companies=", ".join(connections.company_id.mapped('name')))


class AccountMoveSend(models.AbstractModel):
    _inherit = 'account.move.send'

    @api.model
    def _get_alerts(self, moves, moves_data):
        alerts = super()._get_alerts(moves, moves_data)
        chosen = moves.filtered(lambda move: EDI_KEY in (moves_data[move].get('extra_edis') or ()))
        asking = chosen._ksef_production_to_confirm()
        if asking:
            alerts['ksef_production'] = {
                'level': 'danger' if len(moves) == 1 else 'warning', 'message': moves._ksef_production_message(asking)}
        return alerts
