from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..models.account_move_lock import SALE_TYPES
from ..models.ksef_connection import ENVIRONMENTS
from ..models.ksef_document import LIVE_STATES
from ..models.ksef_invoice_self_billing import SELF_BILLED_TYPES

# Why an invoice of the selection cannot be picked now, in the order in which they are looked for.
REASONS = ('kind', 'unposted', 'unconnected', 'off', 'taken', 'elsewhere', 'future')


class KsefSend(models.TransientModel):
    """Shows what is about to become final, and picks it when the person confirms. Nothing here talks to KSeF.

    A few invoices are rendered for the screen, so that the findings stand there before anything is picked; of many,
    one query counts and adds up, and a worker renders them. What cannot be picked is left out, with the reason.
    """
    _name = 'ksef.send'
    _inherit = 'ksef.move.selection'
    _description = "Send to KSeF"

    content = fields.Html(compute='_compute_preview', sanitize=False, help="What will become final.")
    left_out = fields.Text(compute='_compute_summary', help="What of the selection cannot be sent, and why.")
    ready_count = fields.Integer(compute='_compute_summary')
    late_count = fields.Integer(compute='_compute_summary')
    environment = fields.Selection(
        selection=ENVIRONMENTS, compute='_compute_summary')
    findings = fields.Json(compute='_compute_preview')
    error_count = fields.Integer(compute='_compute_preview')
    asks_production = fields.Char(
        compute='_compute_summary', help="Companies that have not sent anything to production yet.")
    production_confirmed = fields.Boolean(
        string="I know that invoices sent to production have legal effect and cannot be taken back, only corrected.")
    service_level = fields.Char(compute='_compute_service')
    service_message = fields.Char(compute='_compute_service')

    # ------------------------------------------------------------------ what the person sees

    @api.depends('move_ids')
    @api.depends_context('lang', 'uid')
    def _compute_summary(self):
        for wizard in self:
            rows = wizard._read_summary()
            ready = [row for row in rows if row['reason'] is None]
            wizard.ready_count = sum(row['count'] for row in ready)
            wizard.late_count = sum(row['count'] for row in ready if row['is_late'])
            wizard.asks_production = ", ".join(wizard._production_to_confirm(ready).company_id.mapped('name')) or False
            environments = {row['environment'] for row in ready}
            wizard.environment = environments.pop() if len(environments) == 1 else False
            left_out = {reason: sum(row['count'] for row in rows if row['reason'] == reason) for reason in REASONS}
            wizard.left_out = "\n".join(
                wizard._describe_reason(reason, count) for reason, count in left_out.items() if count) or False

    def _production_to_confirm(self, ready):
        """The connections that ask before the first invoice of these rows."""
        moves = self.env['account.move'].browse(
            move_id for row in ready if row['environment'] == 'production' for move_id in row['ids'])
        return moves._ksef_production_to_confirm()

    @api.depends('move_ids')
    @api.depends_context('lang', 'uid')
    def _compute_service(self):
        """What the Ministry says about the environment that the invoices go to."""
        for wizard in self:
            wizard.service_level = wizard.service_message = False
            for company in wizard._get_ready_moves().sudo().company_id:
                level, message = company._ksef_connection()._describe_service()
                if message:
                    wizard.service_level, wizard.service_message = level, message
                    break

    def _read_summary(self):
        """Sort the selected invoices by what stands against picking them, in one query.

        :return: rows {reason, is_late, environment, currency_id, count, net, tax, gross, ids}; reason None: can be picked
        """
        # An onchange computes on values that nobody has checked: what may not be read isn't counted.
        ids = self._get_moves().ids
        if not ids:
            return []
        for model in ('account.move', 'res.company', 'ksef.connection', 'ksef.document'):
            self.env[model].flush_model()
        columns = ('reason', 'is_late', 'environment', 'currency_id', 'count', 'net', 'tax', 'gross', 'ids')
        return [dict(zip(columns, row, strict=True)) for row in self.env.execute_query(self._summary_query(ids))]

    def _summary_query(self, ids):
        return SQL(
            """
            SELECT sorted.reason, sorted.is_late, sorted.environment, sorted.currency_id, COUNT(*),
                   SUM(sorted.net), SUM(sorted.tax), SUM(sorted.gross), ARRAY_AGG(sorted.id ORDER BY sorted.invoice_date, sorted.id)
              FROM (
                SELECT m.id, m.invoice_date, n.environment, m.currency_id, m.invoice_date < %(today)s AS is_late,
                       side.sign * m.amount_untaxed_in_currency_signed AS net,
                       side.sign * m.amount_total_in_currency_signed AS gross,
                       side.sign * (m.amount_total_in_currency_signed - m.amount_untaxed_in_currency_signed) AS tax,
                       CASE WHEN m.move_type NOT IN %(kinds)s
                             AND NOT (m.move_type IN %(self_billed)s AND COALESCE(j.is_self_billing, FALSE)) THEN 'kind'
                            WHEN m.state != 'posted' THEN 'unposted'
                            WHEN n.id IS NULL THEN 'unconnected'
                            WHEN o.ksef_mode = 'off' THEN 'off'
                            WHEN EXISTS (
                                SELECT 1 FROM ksef_document d
                                 WHERE d.move_id = m.id AND d.state IN %(live)s
                                   AND (d.connection_id = n.id OR d.environment = 'production')
                            ) THEN 'taken'
                            WHEN %(elsewhere)s THEN 'elsewhere'
                            WHEN m.invoice_date > %(today)s THEN 'future'
                       END AS reason
                  FROM account_move m
                  JOIN res_company c ON c.id = m.company_id
                  JOIN account_journal j ON j.id = m.journal_id
            CROSS JOIN LATERAL (SELECT CASE WHEN m.move_type IN %(self_billed)s THEN -1 ELSE 1 END AS sign) side
             LEFT JOIN ksef_connection n
                    ON n.id = c.ksef_connection_id AND n.active AND n.state NOT IN ('draft', 'neutralised')
             LEFT JOIN res_company o ON o.id = n.company_id
                 WHERE m.id IN %(ids)s
              ) sorted
          GROUP BY sorted.reason, sorted.is_late, sorted.environment, sorted.currency_id
          ORDER BY sorted.reason, sorted.currency_id
            """,
            today=self.env['account.move']._ksef_today(), kinds=SALE_TYPES, self_billed=SELF_BILLED_TYPES,
            live=LIVE_STATES, ids=tuple(ids),
            elsewhere=self.env['account.move']._ksef_sent_elsewhere_sql(),
        )

    def _get_ready_moves(self):
        """The selected invoices that can be picked now, oldest first."""
        ids = [move_id for row in self._read_summary() if row['reason'] is None for move_id in row['ids']]
        return self.env['account.move'].browse(ids)

    def _format_totals(self, rows):
        """Sums of rows {currency_id, net, tax, gross} per currency, as texts."""
        totals = {}
        for row in rows:
            sums = totals.setdefault(row['currency_id'], [0, 0, 0])
            totals[row['currency_id']] = [a + b for a, b in zip(sums, (row['net'], row['tax'], row['gross']), strict=True)]
        return [
            dict(zip(('net', 'tax', 'gross'), map(self.env['res.currency'].browse(currency_id).format, sums), strict=True))
            for currency_id, sums in totals.items()
        ]

    def _describe_reason(self, reason, count):
        texts = {
            'kind': self.env._("%(count)s: not a customer invoice or credit note", count=count),
            'unposted': self.env._("%(count)s: not confirmed yet", count=count),
            'unconnected': self.env._("%(count)s: the company is not connected to KSeF", count=count),
            'off': self.env._("%(count)s: sending to KSeF is switched off for the company", count=count),
            'taken': self.env._("%(count)s: on its way to KSeF or accepted already; an invoice can be sent only once", count=count),
            'elsewhere': self.env._("%(count)s: sent through Odoo's own KSeF module", count=count),
            'future': self.env._("%(count)s: dated later than today; KSeF takes no invoices from the future", count=count),
        }
        return texts[reason]

    @api.depends('move_ids')
    @api.depends_context('lang', 'uid')
    def _compute_preview(self):
        for wizard in self:
            rows = [row for row in wizard._read_summary() if row['reason'] is None]
            moves = self.env['account.move'].browse([move_id for row in rows for move_id in row['ids']])
            few = moves if len(moves) <= moves._ksef_pick_limit() else moves.browse()
            rendered = few.sudo()._ksef_render_batch() if few else {}
            wizard.findings = wizard._get_findings(rendered) or False
            wizard.error_count = sum(1 for result in rendered.values() if any(
                finding['severity'] == 'error' for finding in result.findings))
            wizard.content = bool(rows) and self.env['ir.qweb']._render('l10n_pl_ksef.ksef_send_content', {
                'count': len(moves),
                'moves': few,
                'rates': few._ksef_rate_totals(),
                'totals': wizard._format_totals(rows),
            })

    def _get_findings(self, rendered):
        """What the checks have found, for the widget ``actionable_errors``; the date has its own place on the screen."""
        findings = {}
        for move, result in rendered.items():
            for number, finding in enumerate(result.findings):
                if finding['remedy'] == 'set_today':
                    continue
                display = self.env['ksef.document']._finding_display(finding)
                if len(rendered) > 1:
                    display['message'] = f"{move.name}: {display['message']}"
                findings[f"{move.id}_{number:03d}"] = display
        return findings

    def _get_action(self):
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Send to KSeF"),
            'res_model': self._name,
            'res_id': self.id,
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'dialog_size': 'medium'},
        }

    # ------------------------------------------------------------------ what the person decides

    def action_confirm(self):
        """Pick the invoices that can be picked; the workers do the rest.

        :raise UserError: none can be picked, or some are dated before today and that was not confirmed
        """
        self.ensure_one()
        self.invalidate_recordset()  # what was shown may be old
        if self.late_count:
            raise UserError(self.env._(
                "%(count)s of the invoices have an issue date before today, so KSeF will mark them as issued offline. Set today's "
                "date, leave them out, or confirm that they are to be sent all the same.", count=self.late_count))
        return self._pick(late_confirmed=False)

    def action_confirm_late(self):
        """Pick the invoices although some are dated before today: the person knows what that means."""
        self.ensure_one()
        return self._pick(late_confirmed=True)

    def action_leave_out_late(self):
        """Take the invoices that are dated before today out of the selection, and show what is left."""
        self.ensure_one()
        late = [move_id for row in self._read_summary() if row['is_late'] for move_id in row['ids']]
        self.write({'move_ids': [Command.unlink(move_id) for move_id in late]})
        return self._get_action()

    def action_set_today(self):
        """Give the invoices that are dated before today the date of today, and show what is left to confirm."""
        self.ensure_one()
        late = [move_id for row in self._read_summary() if row['reason'] is None and row['is_late'] for move_id in row['ids']]
        moves = self.env['account.move'].browse(late)
        if len(moves) > moves._ksef_pick_limit():
            raise UserError(self.env._(
                "Today's date can be set for at most %(limit)s invoices at a time. Select fewer.", limit=moves._ksef_pick_limit()))
        moves._ksef_set_today()
        return self._get_action()

    def _pick(self, late_confirmed):
        self.invalidate_recordset()
        moves = self._get_ready_moves()
        if not moves:
            raise UserError("\n".join([
                self.env._("None of the selected invoices can be sent to KSeF now."), self.left_out or '']).strip())
        asking = moves._ksef_production_to_confirm()
        if asking and not self.production_confirmed:
            raise UserError(self.env._(
                "This is the first invoice that %(companies)s sends to production. Tick the sentence about production first.",
                companies=", ".join(asking.company_id.mapped('name'))))
        asking.with_env(self.env)._confirm_production()
        documents = moves._ksef_pick(late_confirmed=late_confirmed)
        return self._report(documents)

    def _report(self, documents):
        """Close the wizard and say what was done; a single invoice shows it itself."""
        if len(documents) == 1:
            return {'type': 'ir.actions.act_window_close'}
        invalid = documents.sudo().search_count([('id', 'in', documents.ids), ('state', '=', 'invalid')])
        message = self.env._("%(count)s invoices are on their way to KSeF.", count=len(documents) - invalid)
        if invalid:
            message += " " + self.env._(
                "%(count)s must be corrected first; you find them with the filter “KSeF: to be corrected”.", count=invalid)
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'type': 'warning' if invalid else 'success',
                'message': message,
                'sticky': bool(invalid),
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }
