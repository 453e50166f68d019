from odoo import models


class KsefDocument(models.Model):
    _inherit = 'ksef.document'

    def _post_state(self):
        """With the number a new print is due; the old one must not be handed out any more."""
        super()._post_state()
        if self.state == 'accepted' and self.move_id:
            language = self.user_id.lang or self.company_id.partner_id.lang
            self.move_id.with_context(lang=language)._ksef_detach_print()
