from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef.errors import KsefUnreadableError
from ..ksef.upo import read_upo


class KsefDocument(models.Model):
    """Documents that another program has sent: their number counts, and this program never sends them again."""
    _inherit = 'ksef.document'

    origin = fields.Selection(
        [('l10n_pl_edi', "Odoo's own KSeF module"), ('register', "Register of another program")], readonly=True,
        string="Taken over from", help="Another program has sent the invoice. Empty: this one.")
    takeover_note = fields.Text(string="What is missing", readonly=True, help="What the other program has not kept.")

    other_module = fields.Json(readonly=True, help="What Odoo's own module showed on the invoice before its number was imported.")
    is_lost = fields.Boolean(compute='_compute_ways_out')
    can_undo_import = fields.Boolean(compute='_compute_ways_out')

    # Two people who import at once, one for the parent and one for a branch: one of them is told.
    _one_per_register_number = models.UniqueIndex(
        "(connection_id, ksef_number) WHERE state = 'accepted' AND origin = 'register'", "Another invoice has this KSeF number.")

    @api.depends('state', 'origin', 'has_upo')
    def _compute_ways_out(self):
        for document in self:
            document.is_lost = document._is_lost()
            document.can_undo_import = document._can_undo_import()

    def _is_lost(self):
        """Taken over, and KSeF knows nothing about it: a register or a person settles it."""
        self.ensure_one()
        return bool(self.origin) and self.state == 'help'

    def _can_undo_import(self):
        """Only a register says that KSeF has accepted it."""
        self.ensure_one()
        return self.origin == 'register' and self.state == 'accepted' and not self.has_upo

    def _may_become(self, state):
        """A number out of a register can be a mistake; a number that KSeF gave cannot be undone."""
        return super()._may_become(state) or (state == 'cancelled' and self._can_undo_import())

    def _settle_with_number(self, line):
        """A register (``RegisterLine``) has the number that KSeF would not tell."""
        values = {'ksef_number': line.ksef_number, 'status_code': 0, 'status_description': False, 'status_details': False}
        if line.hash and line.hash != self.xml_hash:
            values |= {'xml': False, 'xml_size': 0, 'xml_hash': line.hash}
        self._transition('accepted', takeover_note=self.env._(
            "Its number is from a register. Its UPO cannot be fetched; the taxpayer application has it."), **values)

    def action_not_in_ksef(self):
        """A manager has looked it up: KSeF does not have the invoice, so it is free again."""
        self.env['ksef.connection']._check_manager()
        self.check_access('read')
        documents = self.sudo()
        documents._lock()
        if not all(document._is_lost() for document in documents):
            raise UserError(self.env._(
                "This is only for invoices that another program has sent and about which the answer of KSeF is not clear."))
        documents._transition('rejected', status_code=0, status_details=False, status_description=self.env._(
            "%(user)s has looked it up: KSeF does not have the invoice.", user=self.env.user.name))
        documents._sync_moves()

    def action_undo_import(self):
        """Take a mistaken import of KSeF numbers back; the invoices are as they were before."""
        self.env['ksef.connection']._check_manager()
        self.check_access('read')
        documents = self.sudo()
        documents._lock()
        if not all(document._can_undo_import() for document in documents):
            raise UserError(self.env._(
                "Only imported KSeF numbers can be taken back. What KSeF itself has accepted can only be corrected by another invoice."))
        documents.move_id._ksef_rows_lock()
        # Without the reference number the other module's own fields count again.
        documents._transition('cancelled', reference_number=False)
        documents._sync_moves()
        for document in documents.filtered('other_module'):
            document.move_id._ksef_restore_other_module(document.other_module)

    def _get_state_message(self):
        if self.origin == 'register' and self.state == 'cancelled':
            return self.env._("The import of KSeF number %(number)s was taken back.", number=self.ksef_number)
        if self.origin and self.state == 'rejected' and not self.status_code:
            return self.status_description
        if self.origin and self.state == 'accepted' and not self.acquisition_date and not self.status_code:
            return self.env._("KSeF number %(number)s was taken over from a register.", number=self.ksef_number)
        return super()._get_state_message()

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
