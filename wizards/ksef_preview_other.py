from odoo import fields, models

from ..ksef.fa3 import reader
from ..ksef.fa3.document import ReadProblem
from ..ksef.fa3.view_html import to_html
from ..models.account_move_preview import Look


class KsefPreview(models.TransientModel):
    _inherit = 'ksef.preview'

    is_other = fields.Boolean(readonly=True, help="What is shown is the invoice that KSeF has under the same number.")

    def _look(self):
        if not self.is_other:
            return super()._look()
        self.document_id.check_access('read')
        return Look(self.document_id.sudo()._get_other_xml() or None, [], is_frozen=True)

    def _make_page(self, look):
        if not self.is_other:
            return super()._make_page(look)
        try:
            return to_html(reader.read(look.xml), ksef_number=self.document_id.sudo().original_ksef_number or '')
        except ReadProblem:
            return False

    def _get_status(self, look):
        return 'accepted' if self.is_other else super()._get_status(look)
