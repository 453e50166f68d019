from odoo import fields, models

from ..ksef.errors import KsefUnreadableError
from ..ksef.upo import read_upo


class KsefDocument(models.Model):
    """Documents that another program has sent: their number counts, and this program never sends them again."""
    _inherit = 'ksef.document'

    origin = fields.Selection(
        [('l10n_pl_edi', "Odoo's own KSeF module"), ('register', "Register of another program")], readonly=True,
        string="Taken over from", help="Another program has sent the invoice. Empty: this one.")
    takeover_note = fields.Text(string="What is missing", readonly=True, help="What the other program has not kept.")

    def _check_again(self):
        """KSeF is not asked about numbers out of a register: nobody knows the session they were sent in."""
        settled = self.sudo().filtered(lambda document: document.origin == 'register' and document.state == 'accepted')
        return super(KsefDocument, self - settled.with_env(self.env))._check_again()

    def _take_upo(self, content):
        """What the UPO (bytes) says about a document taken over, as values: its dates, and the hash of what KSeF has.

        The other program's file is kept only when it is what KSeF has.
        """
        self.ensure_one()
        try:
            entry = next((entry for entry in read_upo(content) if entry.ksef_number == self.ksef_number), None)
        except KsefUnreadableError:
            entry = None
        if not entry:
            return {}
        values = {
            'xml_hash': entry.document_hash,
            'issue_date': entry.issue_date,
            'seller_nip': entry.seller_nip,
            'invoicing_date': entry.sent_at.replace(tzinfo=None, microsecond=0),
            'acquisition_date': entry.numbered_at.replace(tzinfo=None, microsecond=0),
            'invoicing_mode': entry.mode or self.invoicing_mode,
            'takeover_note': False if self.xml_size else self.env._("The file of the invoice (XML) was not kept by the other program."),
        }
        if self.xml_size and self.xml_hash != entry.document_hash:
            values |= {'xml': False, 'xml_size': 0, 'takeover_note': self.env._(
                "The file that the other program kept is not the one that KSeF has, so it was not taken over.")}
        return values
