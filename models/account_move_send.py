from odoo import api, models
from odoo.exceptions import LockError, UserError

EDI_KEY = 'ksef'
# Odoo's own l10n_pl_edi, which installs itself with the Polish chart.
OTHER_EDI_KEY = 'pl_ksef'


class AccountMoveSend(models.AbstractModel):
    """KSeF in Odoo's Send wizard: the checkbox picks the invoice, sending is the workers' business.

    Where a company is connected here, Odoo's own KSeF module is taken out of the wizard and of everything that leads to
    sending. That is done in the methods that *call* what the other module extends, so that it doesn't matter which of
    the two was loaded first.
    """
    _inherit = 'account.move.send'

    # ------------------------------------------------------------------ what is offered

    @api.model
    def _get_all_extra_edis(self):
        edis = super()._get_all_extra_edis()
        edis[EDI_KEY] = {
            'label': self.env._("KSeF"),
            'is_applicable': lambda move: move.ksef_can_send,
            'help': self.env._("Send the invoice to KSeF. After that it can no longer be edited, only corrected by another document."),
        }
        if other := edis.get(OTHER_EDI_KEY):
            is_applicable = other['is_applicable']
            edis[OTHER_EDI_KEY] = other | {
                'is_applicable': lambda move: not move.company_id._ksef_connection() and is_applicable(move)}
        return edis

    @api.model
    def _get_default_extra_edis(self, move):
        """KSeF is never chosen by default: a person decides what becomes final."""
        edis = set(super()._get_default_extra_edis(move)) - {EDI_KEY}
        return self._ksef_without_other(move, edis)

    @api.model
    def _ksef_without_other(self, move, edis):
        return {key for key in edis or () if key != OTHER_EDI_KEY or not move.company_id._ksef_connection()}

    @api.model
    def _get_default_sending_settings(self, move, from_cron=False, **custom_settings):
        settings = super()._get_default_sending_settings(move, from_cron=from_cron, **custom_settings)
        return settings | {'extra_edis': self._ksef_without_other(move, settings['extra_edis'])}

    @api.model
    def _get_alerts(self, moves, moves_data):
        alerts = super()._get_alerts(moves, moves_data)
        chosen = moves.filtered(lambda move: EDI_KEY in (moves_data[move].get('extra_edis') or ()))
        if not chosen:
            return alerts
        today = moves._ksef_today()
        late = chosen.filtered(lambda move: move.invoice_date and move.invoice_date < today)
        if late:
            alerts['ksef_late'] = {
                'level': 'danger' if len(moves) == 1 else 'warning',
                'message': self.env._(
                    "Issue date before today: KSeF would mark the invoice as issued offline. Decide that in the form, with the "
                    "button “Send to KSeF”: %(invoices)s", invoices=", ".join(late.mapped('display_name'))),
            }
        if any('email' in (moves_data[move].get('sending_methods') or ()) for move in chosen):
            alerts['ksef_without_number'] = {
                'level': 'info',
                'message': self.env._(
                    "KSeF gives the number only after the e-mail is sent: the PDF goes out without KSeF number and QR code. To send it "
                    "with them, wait for the number and send the e-mail then."),
            }
        return alerts

    # ------------------------------------------------------------------ what is done

    @api.model
    def _generate_invoice_documents(self, invoices_data, allow_fallback_pdf=False):
        for move, data in invoices_data.items():
            data['extra_edis'] = self._ksef_without_other(move, data.get('extra_edis'))
        return super()._generate_invoice_documents(invoices_data, allow_fallback_pdf=allow_fallback_pdf)

    @api.model
    def _call_web_service_before_invoice_pdf_render(self, invoices_data):
        """Pick what was chosen for KSeF; the PDFs that are made next say that the number is awaited."""
        for move, data in invoices_data.items():
            data['extra_edis'] = self._ksef_without_other(move, data.get('extra_edis'))
        super()._call_web_service_before_invoice_pdf_render(invoices_data)
        for move, data in invoices_data.items():
            wanted = EDI_KEY in data['extra_edis'] and not data.get('error') and not move._ksef_is_live()
            if wanted and (errors := self._ksef_pick(move.with_env(self.env))):
                data['error'] = {
                    'error_title': self.env._("The invoice was not sent to KSeF: it must be corrected first."),
                    'errors': errors,
                }

    @api.model
    def _ksef_pick(self, move):
        """Pick one invoice with the rights of the caller; return what stands against it, as a list of sentences."""
        try:
            with self.env.cr.savepoint():
                document = move._ksef_pick().sudo()
        except (UserError, LockError) as error:
            return [str(error)]
        if document.state == 'invalid':
            return [finding['message'] for finding in document.findings or []]
        return []

    @api.model
    def _link_invoice_documents(self, invoices_data):
        """A PDF without the awaited KSeF number goes out, but is not kept as the legal document."""
        for move, data in invoices_data.items():
            if data.get('pdf_attachment_values') and move._ksef_awaits_number():
                values = data.pop('pdf_attachment_values')
                data['proforma_pdf_attachment'] = self.env['ir.attachment'].sudo().create(values | {'res_field': False})
                move.is_move_sent = True
        return super()._link_invoice_documents(invoices_data)
