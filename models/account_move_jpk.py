from datetime import date

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from .ksef_document import LIVE_STATES
from .ksef_document_offline import OFFLINE_MODES

MARKERS = [
    ('number', "KSeF number"),
    ('OFF', "OFF: issued offline, no number yet"),
    ('BFK', "BFK: invoice outside KSeF"),
    ('DI', "DI: document that is no invoice"),
]
# What stands in a declaration that was made while the number was still awaited.
NONE = '-'
INVOICE_TYPES = ('out_invoice', 'out_refund', 'in_invoice', 'in_refund')
RECEIPT_TYPES = ('out_receipt', 'in_receipt')
# JPK_V7(3) has the markers from the month in which KSeF 2.0 began.
FIRST_DAY = date(2026, 2, 1)
# Closing a month for taxes, the year, or for good: what is declared then no longer follows by itself.
LOCKS = ('tax_lock_date', 'fiscalyear_lock_date', 'hard_lock_date')
INPUTS = (
    'state', 'move_type', 'ksef_document_id', 'ksef_state', 'ksef_number', 'ksef_outside_number', 'ksef_is_outside', 'ksef_jpk_choice',
    'ksef_jpk_declared')


class AccountMove(models.Model):
    """What JPK_V7(3) says of each document: its KSeF number, or OFF, BFK or DI.

    One SQL expression tells it, so that form, list, filter and the closing of a month agree.
    """
    _inherit = 'account.move'

    ksef_jpk_marker = fields.Selection(
        MARKERS, string="JPK marker", compute='_compute_ksef_jpk', search='_search_ksef_jpk_marker',
        help="Oznaczenie w JPK_V7(3). Empty while the invoice is on its way to KSeF.")
    ksef_jpk_value = fields.Char(
        string="In JPK", compute='_compute_ksef_jpk', help="What stands in JPK_V7(3): the KSeF number, or OFF, BFK or DI.")
    ksef_jpk_choice = fields.Selection(
        MARKERS[1:], string="JPK marker by hand", copy=False, tracking=True,
        help="For documents about which the program cannot know: a vendor's invoice issued offline (OFF), an internal document (DI).")
    ksef_jpk_declared = fields.Char(
        string="In JPK as declared", readonly=True, copy=False, index='btree_not_null',
        help="What the document had when its month was closed; empty when it had its KSeF number.")
    ksef_jpk_to_correct = fields.Boolean(
        string="JPK must be corrected", compute='_compute_ksef_jpk', search='_search_ksef_jpk_to_correct',
        help="Its month was closed with another marker than it has now.")

    @api.depends(*INPUTS)
    def _compute_ksef_jpk(self):
        rows = self._ksef_jpk_rows()
        for move in self:
            marker, number, declared = rows.get(move._origin.id, (None, None, None))
            value = number if marker == 'number' else marker
            move.ksef_jpk_marker = marker or False
            move.ksef_jpk_value = value or False
            move.ksef_jpk_to_correct = bool(declared) and declared != (value or NONE)

    def _ksef_sync(self):
        super()._ksef_sync()
        self.invalidate_recordset(['ksef_jpk_marker', 'ksef_jpk_value', 'ksef_jpk_to_correct'])

    def _ksef_jpk_rows(self):
        """{id: (marker, number, declared)} of those in Poland."""
        ids = self._origin.ids
        if not ids:
            return {}
        self._ksef_jpk_flush()
        return {row[0]: row[1:] for row in self.env.execute_query(SQL(
            "SELECT j.id, j.marker, j.number, j.declared FROM (%s) j WHERE j.id IN %s", self._ksef_jpk_query(), tuple(ids)))}

    @api.model
    def _ksef_jpk_flush(self):
        for model in ('account.move', 'ksef.document', 'ksef.received', 'account.move.line', 'res.company'):
            self.env[model].flush_model()

    @api.model
    def _ksef_jpk_query(self):
        """(id, company_id, date, marker, number, declared, is_trial) of the documents of Polish companies, in the environment in use."""
        elsewhere = SQL("NULL")
        if self._ksef_has_other_module():
            elsewhere = SQL("CASE WHEN m.l10n_pl_edi_status = 'accepted' THEN m.l10n_pl_edi_number END")
        return SQL(
            """
            SELECT f.id, f.company_id, f.date, f.declared, f.number, f.is_trial,
                   CASE WHEN f.state != 'posted' THEN NULL
                        WHEN f.number IS NOT NULL THEN 'number'
                        WHEN f.choice IS NOT NULL THEN f.choice
                        WHEN f.move_type IN %(receipts)s THEN 'DI'
                        WHEN f.move_type = 'entry' THEN CASE WHEN EXISTS (
                             SELECT 1 FROM account_move_line l WHERE l.move_id = f.id AND l.tax_line_id IS NOT NULL) THEN 'DI' END
                        WHEN f.mode IN %(offline)s AND f.is_live THEN 'OFF'
                        WHEN f.is_live THEN NULL
                        ELSE 'BFK' END AS marker
              FROM (
                SELECT m.id, m.company_id, m.date, m.state, m.move_type, m.ksef_jpk_choice AS choice, m.ksef_jpk_declared AS declared,
                       COALESCE(NULLIF(m.ksef_number, ''), NULLIF(m.ksef_outside_number, ''), NULLIF(r.ksef_number, ''),
                                %(elsewhere)s) AS number,
                       COALESCE(d.environment, r.environment, 'production') != 'production' AS is_trial,
                       d.mode, (m.ksef_state IN %(live)s OR d.issued_offline_at IS NOT NULL AND m.ksef_state = 'rejected') AS is_live
                  FROM account_move m
                  JOIN res_company c ON c.id = m.company_id
                  JOIN res_country y ON y.id = c.account_fiscal_country_id AND y.code = 'PL'
             LEFT JOIN ksef_document d ON d.id = m.ksef_document_id
             LEFT JOIN ksef_connection k ON k.id = c.ksef_connection_id
             LEFT JOIN ksef_received r ON r.move_id = m.id AND r.environment = COALESCE(k.environment, r.environment)
              ) f
            """,
            receipts=RECEIPT_TYPES, offline=OFFLINE_MODES, live=LIVE_STATES, elsewhere=elsewhere)

    def _search_ksef_jpk_marker(self, operator, value):
        if operator != 'in':
            return NotImplemented
        self._ksef_jpk_flush()
        known = tuple(marker for marker in value if marker)
        conditions = [SQL("j.marker IN %s", known)] if known else []
        if False in value:
            conditions.append(SQL("j.marker IS NULL"))
        where = SQL(" OR ").join(conditions) if conditions else SQL("FALSE")
        return [('id', 'in', SQL("(SELECT j.id FROM (%s) j WHERE %s)", self._ksef_jpk_query(), where))]

    def _search_ksef_jpk_to_correct(self, operator, value):
        if operator != 'in':
            return NotImplemented
        self._ksef_jpk_flush()
        ids = SQL(
            "(SELECT j.id FROM (%s) j WHERE j.declared IS NOT NULL AND j.declared != COALESCE(CASE WHEN j.marker = 'number' THEN j.number "
            "ELSE j.marker END, %s))", self._ksef_jpk_query(), NONE)
        domain = fields.Domain('id', 'in', ids)
        return domain if True in value else ~domain

    # ------------------------------------------------------------------ closed months

    @api.model
    def _ksef_jpk_close(self, company, first, last):
        """Note what the documents between two days have, as far as that can still change: those without a number, or with the
        number of a trial environment, which the connection to production leaves behind."""
        self._ksef_jpk_flush()
        self.env.cr.execute(SQL(
            """
            UPDATE account_move m SET ksef_jpk_declared = CASE WHEN j.marker = 'number' THEN j.number ELSE COALESCE(j.marker, %(none)s) END
              FROM (%(rows)s) j
             WHERE j.id = m.id AND m.company_id IN %(companies)s AND m.date BETWEEN %(first)s AND %(last)s
               AND m.state = 'posted' AND m.move_type IN %(types)s AND m.ksef_jpk_declared IS NULL
               AND (j.marker IS DISTINCT FROM 'number' OR j.is_trial)
            """,
            none=NONE, rows=self._ksef_jpk_query(), first=first, last=last, types=INVOICE_TYPES,
            companies=tuple(self.env['res.company'].sudo().search([('id', 'child_of', company.id)]).ids)))
        self.invalidate_model(['ksef_jpk_declared', 'ksef_jpk_to_correct'])

    def action_ksef_jpk_corrected(self):
        """The declaration was corrected: what the documents have now is what was declared."""
        if not self.env.su and not self.env.user.has_group('account.group_account_invoice'):
            raise AccessError(self.env._("Only users who may book invoices can say that a declaration was corrected."))
        self.check_access('write')
        for move in self.filtered('ksef_jpk_to_correct'):
            declared = move.ksef_jpk_value or NONE
            move.sudo().with_context(no_new_invoice=True)._message_log(body=self.env._(
                "JPK corrected: %(old)s → %(new)s.", old=move.ksef_jpk_declared, new=declared))
            move.sudo().ksef_jpk_declared = declared


class ResCompany(models.Model):
    _inherit = 'res.company'

    def write(self, vals):
        """Closing a month freezes what was declared about its documents."""
        if not vals.keys() & set(LOCKS):
            return super().write(vals)
        before = {company: company._ksef_jpk_locked() for company in self}
        result = super().write(vals)
        for company, earlier in before.items():
            last = company._ksef_jpk_locked()
            if last > max(earlier, FIRST_DAY):
                self.env['account.move'].sudo()._ksef_jpk_close(company, FIRST_DAY, last)
        return result

    def _ksef_jpk_locked(self):
        """The last day that is closed (a day before all others when none is)."""
        self.ensure_one()
        return max([self[name] for name in LOCKS if self[name]], default=date.min)


class KsefReceived(models.Model):
    """The number of a bill stands where Odoo's own reports read it: in the field of Odoo's own KSeF module, where that is installed."""
    _inherit = 'ksef.received'

    @api.model_create_multi
    def create(self, vals_list):
        received = super().create(vals_list)
        received._mirror_numbers(received.move_id)
        return received

    def write(self, vals):
        if 'move_id' not in vals:
            return super().write(vals)
        before = self.move_id
        result = super().write(vals)
        self._mirror_numbers(before | self.move_id)
        return result

    def _mirror_numbers(self, moves):
        if not moves or not moves._ksef_has_other_module():
            return
        numbers = {row.move_id: row.ksef_number for row in self.env['ksef.received'].sudo().search([('move_id', 'in', moves.ids)])}
        for move in moves.exists().sudo():
            if move.move_type in ('in_invoice', 'in_refund') and move.l10n_pl_edi_number != (numbers.get(move) or False):
                move.with_context(no_new_invoice=True).l10n_pl_edi_number = numbers.get(move) or False
