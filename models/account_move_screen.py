from collections import defaultdict

from odoo import api, fields, models
from odoo.tools.misc import format_datetime


class AccountMove(models.Model):
    """What the invoice form says about KSeF: what happened, who must act, and the next click."""
    _inherit = 'account.move'

    ksef_verification_url = fields.Char(related='ksef_document_id.verification_url', compute_sudo=True)
    ksef_buyer_nip = fields.Char(string="NIP", related='commercial_partner_id.vat')

    def _ksef_rate_totals(self):
        """Net, tax and gross of the invoices per rate of VAT, as texts: [{rate, net, tax, gross}], the highest first."""
        sums = defaultdict(lambda: [0.0, 0.0])
        for item in self.line_ids:
            tax = item.tax_ids[:1] if item.display_type == 'product' else item.tax_line_id
            if tax or item.display_type == 'product':
                rate = (item.currency_id, -tax.amount, self._ksef_rate_label(tax))
                sums[rate][bool(item.tax_line_id)] += item.move_id._ksef_side() * item.amount_currency
        return [
            {'rate': label} | dict(zip(('net', 'tax', 'gross'), map(currency.format, (net, tax, net + tax)), strict=True))
            for (currency, _order, label), (net, tax) in sorted(sums.items(), key=lambda entry: (entry[0][0].id, *entry[0][1:]))
        ]

    @api.model
    def _ksef_rate_label(self, tax):
        """The rate as it stands in FA(3) (“23%”, “0 WDT”), or the tax's own name where it has none there."""
        if not tax:
            return self.env._("no tax")
        rate = tax._ksef_rate()[0]
        if not rate:
            return tax.name
        return f"{tax.amount:g}%" if tax.amount else rate.code

    def _get_alerts(self):
        alerts = super()._get_alerts()
        if self.ksef_state and self.ksef_is_offered:
            alerts |= {f'ksef_{key}': alert for key, alert in self._ksef_alerts().items()}
        return alerts

    @api.depends('ksef_state', 'ksef_document_id')
    def _compute_alerts(self):
        super()._compute_alerts()

    def _ksef_alerts(self):
        """Alerts of the form (see the widget ``actionable_errors``), by key; their order is that of the keys here."""
        document = self.sudo().ksef_document_id
        alerts = getattr(self, f'_ksef_alerts_{self.ksef_state}')(document)
        if self.ksef_state in ('queued', 'blocked', 'sent', 'unconfirmed', 'picked'):
            alerts |= self._ksef_connection_alerts(document)
        return alerts

    @api.model
    def _ksef_status_text(self, document):
        """Code, description and details of KSeF's answer in full, one below the other."""
        first = " ".join(filter(None, [str(document.status_code or ''), document.status_description or '']))
        return "\n".join(filter(None, [first, document.status_details or '']))

    def _ksef_alerts_picked(self, document):
        return {'state': {'level': 'info', 'message': self.env._(
            "The invoice is being prepared for KSeF. You need not wait for it; until it is sent you can withdraw it.")}}

    def _ksef_alerts_queued(self, document):
        message = self.env._(
            "The invoice waits to be sent to KSeF, which usually takes seconds. It is closed; until it is sent you can withdraw it.")
        if document.attempts and document.status_description:
            message = self.env._(
                "The last attempt to send the invoice did not reach KSeF. It is repeated by itself; you need not do anything.\n%(status)s",
                status=self._ksef_status_text(document))
        return {'state': {'level': 'info', 'message': message}}

    def _ksef_alerts_sending(self, document):
        return {'state': {'level': 'info', 'message': self.env._("The invoice is being sent to KSeF.")}}

    def _ksef_alerts_unconfirmed(self, document):
        return {'state': {'level': 'warning', 'message': self.env._(
            "The answer of KSeF got lost. The program finds out by itself whether the invoice has arrived, and never sends it twice. "
            "You need not do anything.")}}

    def _ksef_alerts_sent(self, document):
        return {'state': {'level': 'info', 'message': self.env._(
            "KSeF has registered the transfer and is checking the invoice; its KSeF number appears here as soon as it is accepted. "
            "If that takes long, click “Get KSeF status”.\n%(status)s", status=self._ksef_status_text(document)).strip()}}

    def _ksef_alerts_accepted(self, document):
        alerts = {}
        if document.invoicing_mode == 'Offline' and document.mode == 'online':
            alerts['offline'] = {'level': 'warning', 'message': self.env._(
                "KSeF has marked this invoice as issued offline, because it arrived after its issue date.")}
        return alerts

    def _ksef_alerts_rejected(self, document):
        message = self.env._(
            "KSeF rejected the invoice; it is not in KSeF and has no KSeF number. It keeps its own number.\n%(advice)s",
            advice=document._get_advice())
        if document.original_ksef_number:
            message = self.env._(
                "KSeF rejected the invoice, because it already has another one of yours with the number %(number)s:\n%(status)s\n"
                "The other invoice is %(other)s. Look at it in KSeF: if it is the same sale, cancel this invoice; if not, give this one "
                "another number.", number=self.name, status=self._ksef_status_text(document), other=document.original_ksef_number)
        return {'state': {'level': 'danger', 'message': message}}

    def _ksef_alerts_invalid(self, document):
        alerts = {'state': {'level': 'danger', 'message': self.env._(
            "The invoice was not sent to KSeF: it must be corrected first, then send it again. It keeps its number.")}}
        return alerts | {
            f'finding_{number:03d}': document._finding_display(finding)
            for number, finding in enumerate(document.findings or [])
        }

    def _ksef_alerts_blocked(self, document):
        return {'state': {'level': 'warning', 'message': self.env._(
            "KSeF does not take invoices from this connection at the moment. The invoice is sent by itself as soon as the connection "
            "works again.\n%(advice)s", advice=document._get_advice()).strip()}}

    def _ksef_alerts_help(self, document):
        return {'state': {'level': 'danger', 'message': self.env._(
            "The answer of KSeF is not clear, so nothing is sent again by itself: the invoice may be in KSeF already. Click “Get KSeF "
            "status”; if the answer stays the same, show this page to your administrator.\n%(advice)s",
            advice=document._get_advice())}}

    def _ksef_connection_alerts(self, document):
        """Why nothing moves, when that is the connection's doing; the link leads to it."""
        connection = document.connection_id
        if connection._is_sending():
            until = connection.paused_until
            if not until or until <= fields.Datetime.now():
                return {}
            message = self.env._(
                "KSeF could not be reached. The next attempt is made by itself at %(time)s.",
                time=format_datetime(self.env, until, dt_format='short'))
        elif connection.state == 'verifying':
            message = self.env._("The connection to KSeF is being verified; sending goes on by itself after that.")
        else:
            message = self.env._(
                "Sending waits until the connection to KSeF works: %(reason)s",
                reason=connection.status_message or dict(
                    connection._fields['state']._description_selection(self.env))[connection.state])
        return {'connection': {
            'level': 'warning',
            'message': message,
            'action_text': self.env._("Open the connection"),
            'action': {
                'type': 'ir.actions.act_window',
                'res_model': 'ksef.connection',
                'res_id': connection.id,
                'view_mode': 'form',
            },
        }}
