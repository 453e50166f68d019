from odoo import models
from odoo.exceptions import UserError

from . import account_move_pick
from .ksef_document import WITHDRAWABLE_STATES


class AccountMove(models.Model):
    """Many invoices at once, from the list: what can be taken back is, the rest is told."""
    _inherit = 'account.move'

    def action_ksef_withdraw_unsent(self):
        """Take back what has not left for KSeF yet ("Withdraw what isn't sent"); the others of the selection stay as they are."""
        self._ksef_check_sender()
        self.check_access('write')
        # Of thousands only what is asked for is read.
        moves = self.sudo().with_context(prefetch_fields=False)
        # What was just picked may not be shown on its invoice yet.
        picked = moves.env['ksef.document'].search([('move_id', 'in', moves.ids), ('state', '=', 'picked')])
        documents = picked | (moves - picked.move_id).ksef_document_id
        if not documents:
            raise UserError(self.env._("There is nothing to withdraw: none of these invoices was sent to KSeF."))
        documents._lock()
        free = documents.filtered(lambda document: document.state in WITHDRAWABLE_STATES and not document._is_offline())
        if len(free) <= self._ksef_pick_limit():
            free.with_env(self.sudo().env)._withdraw()
        else:
            # The lines in the chatter follow with the workers.
            free._transition('cancelled')
            if len(free) <= account_move_pick.MOST_SHOWN_AT_ONCE:
                free.move_id._ksef_sync()
            self.env['ksef.worker']._trigger_workers()
        return self._ksef_notification('success' if free else 'warning', self._ksef_withdrawn_text(len(free), len(documents - free)))

    def _ksef_withdrawn_text(self, count, late):
        """What became of a selection, in a sentence or two."""
        done = self.env._("Withdrawn: %(count)s.", count=count)
        if not late:
            return done
        return done + " " + self.env._(
            "Left as they are: %(count)s, because KSeF has them, may have them, or they were issued offline.", count=late)
