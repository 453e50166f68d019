from datetime import timedelta

from odoo import fields, models

# It is woken by the number that it waits for, and looked at now and then all the same: whatever else may have freed it.
WAIT = timedelta(hours=1)
# Once one of these is reached, a correction has nothing more to wait for: it goes, or is invalid and says why.
SETTLED_STATES = ('accepted', 'rejected', 'cancelled')
OUTSIDE_FIELDS = {'ksef_outside_number', 'ksef_is_outside'}
# What keeps a correction from being made before the invoices before it have their numbers.
WAITING_CODES = {'correction-original-unsent', 'correction-earlier-unsent'}


class KsefDocument(models.Model):
    """Corrections of an invoice that is on its way wait for its KSeF number, which must stand in them, and then go by themselves."""
    _inherit = 'ksef.document'

    waits_for_original = fields.Boolean(readonly=True, help="It is rendered as soon as what it corrects has a KSeF number.")

    def _freeze(self, rendered):
        if self._waits_for_number(rendered):
            self._lock()
            if self.state == 'picked':
                self.write({
                    'waits_for_original': True, 'due_at': fields.Datetime.now() + WAIT, 'findings': False, 'sync_pending': True})
            return
        if self.waits_for_original:
            self.waits_for_original = False
        super()._freeze(rendered)

    def _waits_for_number(self, rendered):
        """Whether nothing but the numbers of invoices that are on their way is missing (and the way is not offline)."""
        self.ensure_one()
        return self.mode == 'online' and self.move_id._ksef_waits_for_number(rendered.findings)

    def _sync_moves(self):
        """What has become of an invoice wakes the corrections that wait for it."""
        settled = self.sudo().filtered(lambda document: document.sync_pending and document.state in SETTLED_STATES).move_id
        result = super()._sync_moves()
        if settled:
            settled._ksef_wake_corrections()
        return result


class AccountMove(models.Model):
    _inherit = 'account.move'

    def write(self, vals):
        """A number typed by hand, or staying outside KSeF, wakes the corrections that wait, too."""
        result = super().write(vals)
        if OUTSIDE_FIELDS & vals.keys():
            self._ksef_wake_corrections()
        return result

    def _ksef_unnumbered_before(self):
        """What this invoice corrects, and earlier corrections of it, as far as they have no KSeF number and should have one."""
        root = self._ksef_root()
        before = (root | self._ksef_earlier_corrections()) - self
        return before.filtered(lambda move: not (move.ksef_is_outside or move._ksef_known_number()))

    def _ksef_waits_for_number(self, findings):
        """Whether nothing but the numbers of invoices that are on their way stands against sending this correction."""
        codes = {finding['code'] for finding in findings if finding['severity'] == 'error'}
        if not codes or codes - WAITING_CODES:
            return False
        unnumbered = self._ksef_unnumbered_before()
        return bool(unnumbered) and all(move._ksef_is_live() for move in unnumbered)

    def _ksef_waiting_text(self):
        return self.env._(
            "This correction waits for the KSeF number of %(invoices)s, which must stand in it; then it is sent by itself. Until then you "
            "can withdraw it.", invoices=", ".join(self._ksef_unnumbered_before().mapped('name')))

    def _ksef_wake_corrections(self):
        """Have the workers look again at the corrections that waited for the numbers of these invoices."""
        waiting = self.env['ksef.document'].sudo().search([
            ('state', '=', 'picked'), ('waits_for_original', '=', True), ('company_id', 'in', self.company_id.ids)])
        roots = {move._ksef_root() for move in self}
        woken = waiting.filtered(lambda document: document.move_id._ksef_root() in roots)
        if woken:
            woken.write({'due_at': fields.Datetime.now()})
            self.env['ksef.worker']._trigger_workers()

    def _ksef_alerts_picked(self, document):
        if not document.waits_for_original:
            return super()._ksef_alerts_picked(document)
        return {'state': {'level': 'info', 'message': self._ksef_waiting_text()}}
