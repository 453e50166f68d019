from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .ksef_document import LIVE_STATES

# The states of more invoices than these are shown by the workers: writing them would take longer than a person waits.
MOST_SHOWN_AT_ONCE = 1000


class AccountMove(models.Model):
    """Picking: the user's act that makes a KSeF document of an invoice. Nothing here talks to KSeF."""
    _inherit = 'account.move'

    @api.model
    def _ksef_check_sender(self):
        if not self.env.su and not self.env.user.has_group('l10n_pl_ksef.group_ksef_send'):
            raise AccessError(self.env._(
                "Only users with the right “KSeF: send” may send invoices to KSeF or withdraw them. Ask your administrator."))

    def _ksef_pick(self, late_confirmed=False):
        """Make KSeF documents of the invoices and wake the workers; return the documents.

        Up to 20 invoices are rendered and proven here, so that the person sees at once what must be corrected; more
        are left to a worker. Everything happens in the user's transaction: when it fails, nothing was picked.

        :param bool late_confirmed: the person knows that invoices dated before today will be marked as offline
        :raise UserError: one of the invoices cannot be picked at all (the message names it)
        """
        self._ksef_check_sender()
        self.check_access('write')
        if len(self) <= self._ksef_pick_limit():
            moves = self.sudo()
            moves._ksef_check_pickable()
            documents = moves._ksef_pick_here(late_confirmed)
            documents._sync_moves()
        else:
            # Of thousands only what is asked for is read, and the lines in their chatter follow with the workers.
            moves = self.sudo().with_context(prefetch_fields=False)
            moves._ksef_check_pickable()
            documents = moves._ksef_pick_many(late_confirmed)
            if len(moves) <= MOST_SHOWN_AT_ONCE:
                moves._ksef_sync()
        self.env['ksef.worker']._trigger_workers()
        return documents.with_env(self.env)

    def _ksef_check_pickable(self):
        """Refuse the whole pick when one of the invoices has no business in KSeF; name it and say why."""
        for company in self.company_id:
            connection = company._ksef_connection()
            if not connection or connection.state == 'neutralised':
                raise UserError(company._ksef_unconnected_text())
        unposted = self.filtered(lambda move: move.state != 'posted')
        if unposted:
            raise UserError(self.env._(
                "Confirm the invoice first; only confirmed invoices can be sent to KSeF: %(invoices)s",
                invoices=", ".join(unposted.mapped('display_name'))))
        others = self.filtered(lambda move: not move._ksef_is_issued())
        if others:
            raise UserError(self.env._(
                "Only customer invoices go to KSeF; take these out of the selection: %(invoices)s",
                invoices=", ".join(others.mapped('display_name'))))
        self.flush_recordset()
        taken = self._ksef_live_documents().move_id
        if taken:
            raise UserError(self.env._(
                "An invoice can be sent to KSeF only once. Already picked or sent: %(invoices)s",
                invoices=", ".join(taken.mapped('display_name'))))

    def _ksef_live_documents(self):
        """Documents that keep the invoices from being picked (again)."""
        return self.env['ksef.document'].sudo().search([
            ('move_id', 'in', self.ids),
            ('state', 'in', LIVE_STATES),
            '|', ('connection_id', 'in', self.company_id.sudo().ksef_connection_id.ids), ('environment', '=', 'production'),
        ])

    def _ksef_pick_here(self, late_confirmed):
        """Pick, render and prove in this transaction."""
        self._ksef_rows_lock()
        self._ksef_discard_invalid()
        documents = self.env['ksef.document'].create([{
            'move_id': move.id,
            'company_id': move.company_id.id,
            'connection_id': move.company_id._ksef_connection().id,
            'invoice_number': move.name,
            'user_id': self.env.uid,
            'late_confirmed': late_confirmed,
        } for move in self])
        documents._queue()
        return documents

    def _ksef_pick_many(self, late_confirmed):
        """Pick by one statement; a worker renders."""
        self._ksef_discard_invalid()
        self.env['ksef.document'].flush_model()
        rows = self.env.execute_query(SQL(
            """
            INSERT INTO ksef_document (
                move_id, company_id, connection_id, environment, invoice_number, user_id, state, mode, late_confirmed,
                attempts, polls, session_restarts, sync_failures,
                sync_pending, has_upo, due_at, create_uid, create_date, write_uid, write_date)
            SELECT m.id, m.company_id, n.id, n.environment, m.name, %(uid)s, 'picked', 'online', %(late)s,
                0, 0, 0, 0, TRUE, FALSE, %(now)s, %(uid)s, %(now)s, %(uid)s, %(now)s
              FROM account_move m
              JOIN res_company c ON c.id = m.company_id
              JOIN ksef_connection n ON n.id = c.ksef_connection_id
             WHERE m.id IN %(ids)s
          ORDER BY m.invoice_date, m.id
         RETURNING id
            """,
            uid=self.env.uid, late=bool(late_confirmed), now=fields.Datetime.now(), ids=tuple(self.ids),
        ))
        return self.env['ksef.document'].browse(row[0] for row in rows)

    def _ksef_discard_invalid(self):
        """A corrected invoice is picked anew: the attempt that was not good enough stays as history."""
        invalid = self.env['ksef.document'].search([('move_id', 'in', self.ids), ('state', '=', 'invalid')])
        if invalid:
            invalid._transition('cancelled', sync_pending=False)
