from odoo import models


class AccountMove(models.Model):
    """What the invoice says about a document that was taken over."""
    _inherit = 'account.move'

    def _ksef_open_documents(self):
        """There is nothing to ask about numbers out of a register."""
        return super()._ksef_open_documents().filtered(
            lambda document: document.origin != 'register' or document.state != 'accepted')

    def _ksef_alerts_accepted(self, document):
        alerts = super()._ksef_alerts_accepted(document)
        if document.origin:
            labels = dict(document._fields['origin']._description_selection(self.env))
            alerts['takeover'] = {'level': 'info', 'message': " ".join(filter(None, [
                self.env._("The invoice was sent by another program (%(origin)s); its KSeF number was taken over.",
                           origin=labels[document.origin]),
                document.takeover_note]))}
        return alerts
