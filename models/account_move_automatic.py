"""The automatic mode: what is confirmed is picked, without ever keeping an invoice from being confirmed."""
import logging
from datetime import UTC, datetime, time

import psycopg2
from odoo import api, fields, models

from .ksef_dates import WARSAW
from .ksef_document import LIVE_STATES

_logger = logging.getLogger(__name__)

PENDING = 'l10n_pl_ksef.confirmed'
RENDERED = 'l10n_pl_ksef.rendered'
# States of a document that its automatic sending ends in when a person has to act.
RETURNED_STATES = ('invalid', 'rejected', 'help')


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _post(self, soft=True):
        posted = super()._post(soft)
        posted._ksef_note_confirmed()
        return posted

    def _ksef_note_confirmed(self):
        """Have the invoices picked at the end of this transaction, when every module has done its part of confirming them.

        The hook runs in the request and before its commit, so the pick belongs to the user's transaction.
        """
        if self.env.context.get('ksef_no_automatic') or not any(move._ksef_may_go_by_itself() for move in self):
            return
        hooks = self.env.cr.precommit
        if PENDING not in hooks.data:
            hooks.data[PENDING] = {}
            hooks.add(self.env['account.move']._ksef_pick_confirmed)
        hooks.data[PENDING].update(dict.fromkeys(self.ids, self.env.uid))

    def _ksef_may_go_by_itself(self):
        """A quick look, without reading rules or lines: whether anything may pick the invoice."""
        self.ensure_one()
        return self._ksef_has_intent() and (self.ksef_choice == 'send' or self.company_id._ksef_sending_mode() == 'automatic')

    @api.model
    def _ksef_pick_confirmed(self):
        """Pick what was confirmed in this transaction and is to be sent; nothing that happens here stops the confirmation."""
        pending = self.env.cr.precommit.data.pop(PENDING, {})
        for uid in dict.fromkeys(pending.values()):
            moves = self.with_user(uid).browse(move_id for move_id, user in pending.items() if user == uid)
            moves._ksef_guard("picking", moves._ksef_pick_posted)

    def _ksef_guard(self, what, function):
        """Do a part of picking that must not keep the invoices from being confirmed; return its result, None where it failed."""
        # What the person has entered is none of this: where that fails, the confirmation does.
        self.env.flush_all()
        try:
            with self.env.cr.savepoint():
                return function()
        except psycopg2.OperationalError:
            raise  # another transaction was quicker: Odoo does the whole request again
        except Exception:  # pylint: disable=broad-exception-caught
            _logger.exception("KSeF: %s failed while invoices were confirmed: %s", what, self.ids)
            return None

    def _ksef_pick_posted(self):
        """Pick those of the invoices that are confirmed, have no document under way, and are to be sent by themselves."""
        moves = self.exists().sudo().filtered(lambda move: move.state == 'posted')._ksef_without_live_documents()
        moves = moves.with_context(ksef_posting=True).filtered(lambda move: move._ksef_find_intent()[0] == 'send')
        moves = moves.with_context(ksef_posting=False)
        if moves:
            moves._ksef_pick_automatically()

    def _ksef_without_live_documents(self):
        """Those of the invoices that can be picked; what an earlier confirmation left picked is looked at again now, or on its new day."""
        documents = self._ksef_live_documents()
        picked = documents.filtered(lambda document: document.state == 'picked')
        if picked:
            picked.write({'due_at': fields.Datetime.now()})
            picked._wait_for_their_day()
            self.env['ksef.worker']._trigger_workers()
        return self - documents.move_id

    def _ksef_pick_automatically(self):
        """Pick the invoices with the rights of the company's mode; a few are rendered here, the others by a worker."""
        few = self._ksef_take_rendering_budget()
        documents = self.env['ksef.document']
        if few:
            documents |= few._ksef_pick_safely()
        if rest := self - few:
            documents |= rest._ksef_pick_many(False)
        documents.write({'is_automatic': True})
        documents._wait_for_their_day()
        # What can't be shown now keeps its mark, and a worker shows it.
        self._ksef_guard("showing the state", documents._sync_moves)
        self.env['ksef.worker']._trigger_workers()

    def _ksef_take_rendering_budget(self):
        """The invoices that this request may still render: all or none, and none once it has rendered its share."""
        today = self._ksef_today()
        ready = self.filtered(lambda move: move.invoice_date <= today)
        rendered = self.env.cr.cache.get(RENDERED, 0)
        if rendered + len(ready) > self._ksef_pick_limit():
            return self.browse()
        self.env.cr.cache[RENDERED] = rendered + len(ready)
        return ready

    def _ksef_pick_safely(self):
        """Pick and render here; where that fails, a worker renders, and tells a person if it fails again."""
        documents = self._ksef_guard("rendering", lambda: self._ksef_pick_here(False))
        self.env.cr.execute("SET LOCAL lock_timeout TO DEFAULT", log_exceptions=False)
        return self._ksef_pick_many(False) if documents is None else documents

    def _ksef_redate(self, today):
        """Giving another date confirms anew, on the way to a confirmation by hand."""
        return super(AccountMove, self.with_context(ksef_no_automatic=True))._ksef_redate(today)


class KsefDocument(models.Model):
    _inherit = 'ksef.document'

    is_automatic = fields.Boolean(string="Picked by itself", readonly=True, help="Picked when the invoice was confirmed, not by a person.")
    return_activity_id = fields.Many2one('mail.activity', readonly=True, ondelete='set null', index='btree_not_null')

    def _wait_for_their_day(self):
        """Invoices dated ahead are rendered and sent on their day, as KSeF takes none from the future."""
        today = self.env['account.move']._ksef_today()
        for document in self.filtered(lambda document: document.state == 'picked' and (document.move_id.invoice_date or today) > today):
            begin = datetime.combine(document.move_id.invoice_date, time(0, 1), WARSAW)
            document.due_at = begin.astimezone(UTC).replace(tzinfo=None)
            self.env['ksef.worker']._trigger_workers(document.due_at)

    def _sync_moves(self):
        pending = self.sudo().filtered('sync_pending')
        super()._sync_moves()
        for document in pending.filtered(lambda document: document.is_automatic and document.state in RETURNED_STATES):
            if document.move_id:
                document._give_back()
        pending.filtered(lambda document: document.state in LIVE_STATES and document.state != 'help')._close_returns()

    def _give_back(self):
        """An activity for the person who can put the invoice right; one at a time."""
        user = self._responsible_for_return()
        if self.return_activity_id or not user:
            return
        document = self.with_context(lang=user.lang)
        self.return_activity_id = document.move_id.sudo().with_context(
            lang=user.lang, mail_notify_force_send=False).activity_schedule(
            'mail.mail_activity_data_warning', user_id=user.id, summary=document._return_summary(), note=document._get_state_message())

    def _return_summary(self):
        if self.state == 'rejected':
            return self.env._("KSeF rejected the invoice: correct it and confirm it again")
        if self.state == 'help':
            return self.env._("KSeF: the answer about this invoice is not clear")
        return self.env._("The invoice was not sent to KSeF: correct it and send it")

    def _responsible_for_return(self):
        """Who confirmed the invoice, else its salesperson, else the one responsible for the connection; someone of the company."""
        connection = self.connection_id
        for user in (self.user_id, self.move_id.invoice_user_id, connection.responsible_id, connection.create_uid):
            works_here = user.active and user._is_internal() and self.company_id in user.company_ids
            if works_here and user.has_group('l10n_pl_ksef.group_ksef_read'):
                return user
        return self.env['res.users']

    def _close_returns(self):
        """The invoice is on its way again: what was asked of a person is done."""
        moves = self.move_id
        if not moves:
            return
        activities = self.sudo().search([('move_id', 'in', moves.ids), ('return_activity_id', '!=', False)]).return_activity_id
        if activities:
            activities.action_feedback(feedback=self.env._("The invoice is on its way to KSeF again."))
