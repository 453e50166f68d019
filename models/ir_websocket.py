from odoo import models

from .account_move_live import CHANNEL_PREFIX

# More than a page of a list never asks for.
MAX_CHANNELS = 500
# PostgreSQL's ids have ten digits at most; with nine they surely fit.
MAX_DIGITS = 9


class IrWebsocket(models.AbstractModel):
    _inherit = 'ir.websocket'

    def _build_bus_channel_list(self, channels):
        """Let the user listen to the invoices that he asked for and may read, of all his companies."""
        names = [name for name in channels if isinstance(name, str) and name.startswith(CHANNEL_PREFIX)]
        if names:
            channels = [name for name in channels if name not in names]
            channels.extend((move, 'ksef') for move in self._ksef_readable_moves(names))
        return super()._build_bus_channel_list(channels)

    def _ksef_readable_moves(self, names):
        """The invoices behind the channels, those left out that the user may not read."""
        user = self.env.user
        if not user._is_internal() or not user.has_group('l10n_pl_ksef.group_ksef_read'):
            return self.env['account.move']
        numbers = (name.removeprefix(CHANNEL_PREFIX) for name in names)
        ids = {int(number) for number in numbers if number.isascii() and number.isdecimal() and len(number) <= MAX_DIGITS}
        moves = self.env['account.move'].with_context(allowed_company_ids=user._get_company_ids())
        return moves.search([('id', 'in', sorted(ids)[-MAX_CHANNELS:])])
