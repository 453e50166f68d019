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
        waiting = moves.filtered(lambda move: 'email' in (moves_data[move].get('sending_methods') or ()) and (
            move in chosen or move._ksef_awaits_number()))
        if waiting:
            alerts['ksef_waits'] = {'level': 'info', 'message': self.env._(
                "The e-mail waits for the KSeF number and then goes out by itself, with a print that bears the number and the QR code.")}
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
        return alerts

    # ------------------------------------------------------------------ what is done

    @api.model
    def _generate_invoice_documents(self, invoices_data, allow_fallback_pdf=False):
        documented = {}
        for move, data in invoices_data.items():
            data['extra_edis'] = self._ksef_without_other(move, data.get('extra_edis'))
            if not self._ksef_is_only_mailed(move, data):
                documented[move] = data
        return super()._generate_invoice_documents(documented, allow_fallback_pdf=allow_fallback_pdf)

    @api.model
    def _ksef_is_only_mailed(self, move, data):
        """Whether nothing but an e-mail is wanted, and that waits for the KSeF number: print and files are made when it goes."""
        if set(data.get('sending_methods') or ()) != {'email'} or data['extra_edis'] - {EDI_KEY}:
            return False
        if EDI_KEY in data['extra_edis']:
            self._ksef_pick_chosen(move, data)
        if data.get('error') or not move._ksef_awaits_number():
            return False
        data['proforma_pdf_attachment'] = self.env['ir.attachment']
        return True

    @api.model
    def _call_web_service_before_invoice_pdf_render(self, invoices_data):
        """Pick what was chosen for KSeF; the PDFs that are made next say that the number is awaited."""
        for move, data in invoices_data.items():
            data['extra_edis'] = self._ksef_without_other(move, data.get('extra_edis'))
        super()._call_web_service_before_invoice_pdf_render(invoices_data)
        for move, data in invoices_data.items():
            if EDI_KEY in data['extra_edis']:
                self._ksef_pick_chosen(move, data)

    @api.model
    def _ksef_pick_chosen(self, move, data):
        """Pick the invoice unless it is on its way; what stands against it becomes the error of its data."""
        wanted = not data.get('error') and not move._ksef_is_live()
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
    def _generate_and_send_invoices(self, moves, *args, **kwargs):
        """What was confirmed in this very transaction is picked first, so that its message waits for the number."""
        self.env['account.move']._ksef_pick_confirmed()
        return super()._generate_and_send_invoices(moves, *args, **kwargs)

    @api.model
    def _link_invoice_documents(self, invoices_data):
        """A PDF without the awaited KSeF number goes out, but is not kept as the legal document."""
        for move, data in invoices_data.items():
            if not move._ksef_awaits_number():
                continue
            attachments = self.env['ir.attachment'].sudo()
            if values := data.pop('pdf_attachment_values', None):
                attachments = attachments.create(values | {'res_field': False})
            data.setdefault('proforma_pdf_attachment', attachments)
            if 'email' not in (data.get('sending_methods') or ()):
                move.is_move_sent = True
        return super()._link_invoice_documents(invoices_data)

    @api.model
    def _hook_if_success(self, moves_data, from_cron=False):
        """E-mails of invoices on their way to KSeF are kept until the number is there; other channels are not touched."""
        for move, data in moves_data.items():
            methods = data.get('sending_methods') or ()
            if 'email' in methods and move._ksef_awaits_number() and self._is_applicable_to_move('email', move, **data):
                self.env['ksef.delivery']._keep(move, data)
                data['sending_methods'] = [method for method in methods if method != 'email']
        return super()._hook_if_success(moves_data, from_cron=from_cron)

    # ------------------------------------------------------------------ what goes with the e-mail

    @api.model
    def _ksef_enclosures(self, move):
        """What the customer gets beside the PDF of an accepted invoice: [(name, bytes)], by the choice at the customer.

        The UPO is that of this invoice alone; the collective one of a session names other customers' invoices.
        """
        document = move.sudo().ksef_document_id
        if move.ksef_state != 'accepted':
            return []
        partner = move.sudo().commercial_partner_id
        chosen = ((partner.ksef_mail_xml and document.xml_size, document.xml_name, document._get_xml),
                  (partner.ksef_mail_upo and document.has_upo, document.upo_name, document._get_upo))
        return [(name, read()) for wanted, name, read in chosen if wanted]

    @api.model
    def _get_placeholder_mail_attachments_data(self, move, invoice_edi_format=None, extra_edis=None, pdf_report=None):
        shown = super()._get_placeholder_mail_attachments_data(
            move, invoice_edi_format=invoice_edi_format, extra_edis=extra_edis, pdf_report=pdf_report)
        return shown + [
            {'id': f'placeholder_{name}', 'name': name, 'mimetype': 'application/xml', 'placeholder': True}
            for name, _content in self._ksef_enclosures(move)]

    @api.model
    def _get_mail_params(self, move, move_data):
        params = super()._get_mail_params(move, move_data)
        left_out = {entry['name'] for entry in move_data.get('mail_attachments_widget') or [] if entry.get('skip')}
        params['attachments'] += [(name, content) for name, content in self._ksef_enclosures(move) if name not in left_out]
        return params
