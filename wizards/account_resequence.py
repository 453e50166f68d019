from odoo import models


class AccountResequenceWizard(models.TransientModel):
    _inherit = 'account.resequence.wizard'

    def resequence(self):
        """Refuse before the first number is changed, and name all invoices that stand in the way."""
        self.move_ids._ksef_check_open(self.env._("the number"))
        return super().resequence()
