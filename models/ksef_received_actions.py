from urllib.parse import quote

from markupsafe import Markup
from odoo import fields, models
from odoo.exceptions import UserError

from .ksef_dates import warsaw_date


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

    def action_write_to_seller(self):
        """Draft a mail to the seller of a disputed invoice; it goes out only when the person sends it."""
        self.ensure_one()
        self._check_bookkeeper()
        self.check_access('read')
        received = self.sudo()
        seller = self.env['ksef.bill']._partners_of(received.company_id, received.seller_nip)[:1]
        texts = self.with_context(lang=seller.lang or self.env.lang).env
        body = Markup("<p>%s</p><p>%s</p><p>%s</p>") % (
            texts._("Dear Sir or Madam,"),
            texts._(
                "in KSeF we received your invoice %(number)s of %(day)s for %(gross)s %(currency)s (KSeF number %(ksef)s). "
                "We dispute it: %(reason)s.",
                number=received.invoice_number, day=received.issue_date, gross=f"{received.gross_amount:.2f}",
                currency=received.currency_code or '', ksef=received.ksef_number, reason=received.reason or ''),
            texts._("Please explain the invoice, or issue a correction to zero. Until then we neither pay it nor deduct its VAT."))
        return {
            'type': 'ir.actions.act_window', 'name': self.env._("Write to the seller"), 'res_model': 'mail.compose.message',
            'view_mode': 'form', 'target': 'new',
            'context': {
                'default_model': self._name, 'default_res_ids': self.ids, 'default_composition_mode': 'comment',
                'default_partner_ids': seller.ids, 'default_body': body, 'default_subject': texts._(
                    "Invoice %(number)s: disputed", number=received.invoice_number)},
        }

    def action_change_receipt(self):
        """Ask on which day an invoice issued offline was handed over."""
        self.ensure_one()
        self._check_bookkeeper()
        return {
            'type': 'ir.actions.act_window', 'name': self.env._("Day of receipt"), 'res_model': 'ksef.received.receipt',
            'view_mode': 'form', 'target': 'new',
            'context': {'default_received_id': self.id, 'default_day': self.handed_over_on or self.issue_date}}

    def _hand_over(self, day, reason):
        """Set the day of receipt, and with it the accounting date of a bill that is still a draft.

        :raise UserError: the law does not allow that day, or the bill is confirmed
        """
        self.ensure_one()
        self._check_bookkeeper()
        self.check_access('read')
        received = self.sudo()
        received._lock()
        if received.invoicing_mode != 'Offline':
            raise UserError(self.env._(
                "Only an invoice issued offline can have been handed over earlier; this one was received with its KSeF number."))
        given = warsaw_date(received.acquisition_date)
        if not received.issue_date <= day <= given:
            raise UserError(self.env._(
                "“Day of receipt” must lie between the issue date %(issued)s and the day of the KSeF number %(given)s.",
                issued=received.issue_date, given=given))
        if received.move_id.state == 'posted':
            raise UserError(self.env._("The bill %(bill)s is confirmed. Reset it to draft first.", bill=received.move_id.name))
        received.write({'handed_over_on': day, 'handed_over_reason': reason})
        if received.move_id.state == 'draft':
            bills = self.env['ksef.bill'].with_company(received.company_id)
            received.move_id.date = bills._date_values(bills._read(received._get_xml()), day)['date']
            bills._keep_out_of_closed_periods(received.move_id)

    def action_restore(self):
        """Take back that an invoice was set aside."""
        for received in self:
            has_xml, move = bool(received.sudo().xml_size), received.sudo().move_id
            # Its draft is still there: another bill would be a second one.
            received._decide('imported' if move else 'stored' if has_xml else 'listed', reason=False,
                             due_at=False if has_xml else fields.Datetime.now())
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
