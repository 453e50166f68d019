from odoo import models

from ..models.ksef_document_wait import WAITING_CODES


class KsefSend(models.TransientModel):
    """A correction whose original is on its way can be sent: it waits for the number by itself."""
    _inherit = 'ksef.send'

    def _get_findings(self, rendered):
        """What only time mends is a warning here; the renderings are this screen's own, so their errors are counted without it."""
        for move, result in rendered.items():
            if move._ksef_waits_for_number(result.findings):
                for finding in result.findings:
                    if finding['code'] in WAITING_CODES:
                        finding |= {'severity': 'warning', 'field': False, 'message': move._ksef_waiting_text()}
        return super()._get_findings(rendered)
