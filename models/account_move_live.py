from odoo import models

# Channel of one invoice as browsers name it when they subscribe; see ir_websocket.py for who gets it.
CHANNEL_PREFIX = 'ksef_move_'


class AccountMove(models.Model):
    """Telling open forms and lists that the state in KSeF has changed."""
    _inherit = 'account.move'

    def _ksef_notify(self):
        """Send a message over the bus, when this transaction is committed, to whoever has the invoices on screen.

        It says which invoice has changed and nothing else; what it is now, the browser reads with the user's own rights.
        """
        for move in self:
            # _sendone: a record as channel cannot be guessed; subscribing to it is checked
            self.env['bus.bus']._sendone((move, 'ksef'), 'l10n_pl_ksef.changed', {'id': move.id})
