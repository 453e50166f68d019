from urllib.parse import quote

from odoo import fields, models
from odoo.exceptions import UserError


class KsefReceived(models.Model):
    """What a person does with received invoices: the buttons of list and form. Nothing here talks to KSeF."""
    _inherit = 'ksef.received'

    def _decide(self, state, **values):
        """A person's decision about rows that he may see."""
        self._check_bookkeeper()
        self.check_access('read')
        received = self.sudo()
        received._lock()
        received._transition(state, decided_by=self.env.uid, decided_at=fields.Datetime.now(), **values)

    def _set_aside(self, state, reason):
        """Put invoices out of the way of the books: ``ignored`` or ``disputed``, with the reason.

        :raise UserError: one of them has a bill that is posted
        """
        posted = self.sudo().move_id.filtered(lambda move: move.state == 'posted')
        if posted:
            raise UserError(self.env._(
                "These bills are confirmed: %(bills)s. Reset them to draft first; then the invoice can be set aside.",
                bills=", ".join(posted.mapped('name'))))
        self._decide(state, reason=reason)

    def action_set_aside(self):
        """Ask why the invoices are ignored or disputed (state in the context)."""
        self._check_bookkeeper()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Set aside"),
            'res_model': 'ksef.received.reason',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_received_ids': self.ids, 'default_state': self.env.context.get('ksef_state', 'ignored')},
        }

    def action_restore(self):
        """Take back that an invoice was set aside."""
        for received in self:
            received._decide('stored' if received.sudo().xml_size else 'listed', reason=False, due_at=(
                False if received.sudo().xml_size else fields.Datetime.now()))
        self.env['ksef.worker']._trigger_workers()

    def action_try_again(self):
        """Do again what failed: get the XML, or offer the bill."""
        failed = self.filtered(lambda received: received.state == 'failed')
        for received in failed:
            has_xml = bool(received.sudo().xml_size)
            received._decide(
                'stored' if has_xml else 'listed', attempts=0, due_at=False if has_xml else fields.Datetime.now())
        self._check_bookkeeper()
        self.check_access('read')
        self.sudo().filtered(lambda received: received.state == 'listed').write({'due_at': fields.Datetime.now(), 'attempts': 0})
        self.env['ksef.worker']._trigger_workers()
        return failed.filtered(lambda received: received.state == 'stored').action_make_bill() if any(
            received.state == 'stored' for received in failed) else None

    def action_fetch_now(self):
        """Ask for a period ("Fetch now")."""
        self._check_bookkeeper()
        return self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_fetch_now')

    def action_open_bill(self):
        """Open the bill made from, or linked to, this invoice."""
        self.ensure_one()
        self.check_access('read')
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'account.move',
            'res_id': self.move_id.id,
            'views': [(False, 'form')],
        }

    def action_download_xml(self):
        """The XML as KSeF holds it."""
        self.ensure_one()
        self.check_access('read')
        if not self.xml_size:
            raise UserError(self.env._("The XML of this invoice has not come from KSeF yet."))
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/ksef.received/{self.id}/xml/{quote(self.xml_name)}?download=true',
            'target': 'download',
        }
