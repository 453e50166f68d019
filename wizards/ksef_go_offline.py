from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..ksef.offline import OfflineMode, deadline_of
from ..models.account_move_lock import SALE_TYPES
from ..models.ksef_document_offline import SWITCHABLE_STATES

# So many invoices are rendered, signed and printed in one request.
MOST = 50
NEEDED_EVENTS = {OfflineMode.UNAVAILABILITY: 'MAINTENANCE', OfflineMode.EMERGENCY: 'FAILURE'}


class KsefGoOffline(models.TransientModel):
    """Issues invoices offline, when KSeF or the network is down: shows what that means, freezes, signs, and prints.

    Nothing here talks to KSeF. The codes are committed with the bytes that they speak of before anything is printed, because the
    print is a request of its own.
    """
    _name = 'ksef.go.offline'
    _inherit = 'ksef.move.selection'
    _description = "Issue offline"

    mode = fields.Selection(
        [
            ('offline24', "Offline24: our own decision or trouble"),
            ('offline', "Offline: announced break of KSeF"),
            ('emergency', "Emergency mode: announced failure of KSeF"),
            ('total_failure', "Total failure: announced, never sent to KSeF"),
        ],
        required=True, default=lambda self: self._default_mode(),
        help="Offline24 (art. 106nda), niedostępność (art. 106nh), tryb awaryjny (art. 106nf), awaria całkowita (art. 106ng)")
    source = fields.Char(string="Announced where and when", help="Total failure is announced by mass media: write down what was announced.")
    announcement = fields.Text(compute='_compute_situation')
    situation = fields.Text(compute='_compute_situation', help="Until when the invoices must be in KSeF.")
    problem = fields.Text(compute='_compute_situation', help="What keeps them from being issued offline.")
    count = fields.Integer(compute='_compute_count')
    names = fields.Char(compute='_compute_count')

    @api.model
    def _default_mode(self):
        connection = self.env.company._ksef_connection()
        return str(connection._suggest_offline_mode()) if connection else 'offline24'

    # ------------------------------------------------------------------ what the person sees

    @api.depends('move_ids')
    def _compute_count(self):
        for wizard in self:
            moves = wizard._get_moves()
            wizard.count = len(moves)
            wizard.names = ", ".join(moves[:5].mapped('display_name')) + (" …" if len(moves) > 5 else "")

    @api.depends('move_ids', 'mode')
    @api.depends_context('lang', 'uid')
    def _compute_situation(self):
        for wizard in self:
            connections = wizard._get_connections()
            wizard.announcement = "\n".join(filter(None, (connection._describe_service()[1] for connection in connections))) or False
            wizard.problem = wizard._get_problem(connections)
            wizard.situation = False if wizard.problem else wizard._describe_mode()

    def _get_connections(self):
        connections = self.env['ksef.connection']
        for company in self._get_moves().sudo().company_id:
            connections |= company._ksef_connection()
        return connections.sudo()

    def _get_problem(self, connections):
        """Why nothing can be issued in this way, or False."""
        moves = self._get_moves()
        if not moves:
            return self.env._("Select the invoices that are to be issued offline.")
        if len(moves) > MOST:
            return self.env._("At most %(limit)s invoices can be issued offline at a time. Select fewer.", limit=MOST)
        wrong = moves.filtered(lambda move: move.state != 'posted' or move.move_type not in SALE_TYPES)
        if wrong:
            return self.env._("Only confirmed customer invoices are issued offline: %(invoices)s",
                               invoices=", ".join(wrong.mapped('display_name')))
        if not connections:
            return moves.company_id[:1]._ksef_unconnected_text()
        if self.mode == OfflineMode.TOTAL_FAILURE:
            return False
        for connection in connections:
            if not connection._get_offline_credential():
                return connection._get_offline_missing_text()
            category = NEEDED_EVENTS.get(self.mode)
            if category and not connection._get_outages()._running(category):
                return self.env._(
                    "The Ministry has announced no such event for now, as far as this program knows. Choose Offline24: should a failure be "
                    "announced, the program counts the deadline again by itself.")
        return False

    def _describe_mode(self):
        """What follows from the mode, with the deadline as it is known now."""
        if self.mode == OfflineMode.TOTAL_FAILURE:
            return self.env._(
                "The invoices are issued without KSeF, printed without QR codes, and never sent there. Only the Minister's announcement in "
                "the mass media allows that.")
        days = self._get_deadlines()
        known = days - {None}
        first = min(known, default=None)
        day = format_date(self.env, first) if first else ''
        if not first:
            when = self.env._("The last day for sending is counted when the Ministry announces the end.")
        elif first < self.env['account.move']._ksef_today():
            when = self.env._(
                "Too late by law: not all of the invoices are dated today, and the first had to be in KSeF by %(date)s.", date=day)
        elif len(days) > 1:
            when = self.env._("By law the first of the invoices must be in KSeF by %(date)s.", date=day)
        else:
            when = self.env._("By law the invoices must be in KSeF by %(date)s.", date=day)
        return when + " " + self.env._("The program sends them by itself as soon as KSeF can be reached.")

    def _get_deadlines(self):
        """The legal deadlines of the invoices, a set; None: not known before an event ends.

        They count from the date of issue. That is the frozen one of what waits already, else today.
        """
        today, dates = self.env['account.move']._ksef_today(), set()
        for move in self._get_moves().sudo():
            document = move.ksef_document_id.filtered(lambda document: document.state in SWITCHABLE_STATES)
            connection = document.connection_id or move.company_id._ksef_connection().sudo()
            dates.add((connection, document.issue_date or today))
        events = {
            connection: connection._get_outages()._as_events(since=fields.Datetime.now()) for connection, _issued in dates}
        return {deadline_of(self.mode, issued, events[connection]).day for connection, issued in dates}

    def _get_action(self):
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window', 'name': self.env._("Issue offline"), 'res_model': self._name, 'res_id': self.id,
            'views': [(False, 'form')], 'target': 'new', 'context': {'dialog_size': 'medium'},
        }

    # ------------------------------------------------------------------ what the person decides

    def action_issue(self):
        """Issue the invoices and print them.

        :raise UserError: what is shown as a problem, or one of the invoices cannot be issued offline
        """
        self.ensure_one()
        self.env['account.move']._ksef_check_sender()
        moves = self._get_moves()
        problem = self._get_problem(self._get_connections())
        if problem:
            raise UserError(problem)
        if self.mode == OfflineMode.TOTAL_FAILURE:
            if not (self.source or '').strip():
                raise UserError(self.env._("Write down where and when the total failure was announced."))
            moves._ksef_issue_in_total_failure(self.source.strip())
            return self._print(moves)
        documents = moves._ksef_issue_offline(self.mode).sudo()
        issued = documents.filtered(lambda document: document._is_offline() and document.state != 'invalid').move_id.sudo(False)
        if issued == moves:
            return self._print(issued)
        return self._report_invalid(documents, issued)

    def _print(self, moves):
        """Print in a request of its own, after this one is committed."""
        action = self.env.ref('account.account_invoices').report_action(moves, config=False)
        return action | {'close_on_report_download': True}

    def _report_invalid(self, documents, issued):
        """Say which ones must be corrected first; the issued ones are printed from the list."""
        invalid = (documents.move_id.sudo(False) - issued).mapped('display_name')
        return {
            'type': 'ir.actions.client', 'tag': 'display_notification',
            'params': {
                'type': 'warning', 'sticky': True, 'title': self.env._("Not issued"),
                'message': self.env._(
                    "These invoices must be corrected first; open them to see what is wrong: %(invoices)s. Issued offline: %(count)s.",
                    invoices=", ".join(invalid), count=len(issued)),
                'next': {'type': 'ir.actions.act_window_close'},
            },
        }
