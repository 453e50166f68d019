import hashlib

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

# What KSeF takes in one identifier where it has told nothing else.
MOST_BILLS = 500
OPEN_STATES = ('waiting', 'done')


class KsefCollective(models.Model):
    """A collective identifier: one title of a transfer for several invoices of one seller.

    A person asks for it, a task (``ksef.task``) gets it, the payments that wait for it get it into their memo. For the
    same invoices it is asked for once: KSeF would make another one each time (docs/decisions/0014-collective-identifier.md).
    """
    _name = 'ksef.collective'
    _description = "Collective identifier of KSeF invoices"
    _order = 'id desc'
    _rec_names_search = ['number', 'seller_name', 'seller_nip']

    connection_id = fields.Many2one('ksef.connection', required=True, index=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, index=True, readonly=True)
    number = fields.Char(
        string="Collective identifier", readonly=True, copy=False, index='btree_not_null',
        help="Identyfikator zbiorczy (IZ), 35 characters: it stands in the title of the transfer.")
    seller_nip = fields.Char(string="Seller's NIP", required=True, readonly=True)
    seller_name = fields.Char(string="Seller", readonly=True)
    move_ids = fields.Many2many(
        'account.move', 'ksef_collective_move_rel', 'collective_id', 'move_id', string="Bills", readonly=True, copy=False)
    ksef_numbers = fields.Json(required=True, readonly=True, help="KSeF numbers of the invoices, sorted; they never change.")
    digest = fields.Char(required=True, readonly=True, help="Of the KSeF numbers: the same invoices have the same.")
    invoice_count = fields.Integer(string="Invoices", readonly=True)
    state = fields.Selection(
        [
            ('waiting', "Asked for"),
            ('done', "Given"),
            ('failed', "Failed"),
            ('cancelled', "Given up"),
        ],
        required=True, default='waiting', readonly=True)
    problem = fields.Text(readonly=True, help="Why there is none.")
    hint = fields.Text(compute='_compute_hint', compute_sudo=True, help="Why it takes long.")
    made_at = fields.Datetime(string="Given on", readonly=True)
    task_id = fields.Many2one('ksef.task', readonly=True, ondelete='set null', groups='l10n_pl_ksef.group_ksef_manage')
    payment_ids = fields.One2many('account.payment', 'ksef_collective_id', string="Payments", readonly=True)

    _once = models.UniqueIndex(
        "(connection_id, digest) WHERE state IN ('waiting', 'done')", "KSeF was asked for an identifier of these invoices already.")

    @api.depends('number', 'seller_name', 'state')
    @api.depends_context('lang')
    def _compute_display_name(self):
        labels = dict(self._fields['state']._description_selection(self.env))
        for collective in self:
            collective.display_name = collective.number or f"{collective.seller_name or collective.seller_nip} ({labels[collective.state]})"

    def _compute_hint(self):
        for collective in self:
            connection, task = collective.connection_id, collective.task_id
            collective.hint = False
            if collective.state != 'waiting':
                continue
            if not connection._is_sending():
                collective.hint = self.env._(
                    "The connection of %(company)s to KSeF doesn't work now; the identifier is asked for as soon as it does. %(reason)s",
                    company=connection.company_id.name, reason=connection.status_message or '').strip()
            elif task.state == 'calling':
                collective.hint = self.env._(
                    "The answer of KSeF got lost. The program finds out by itself whether there is an identifier; that takes some minutes.")
            elif task.failures:
                collective.hint = self.env._("KSeF could not be reached. The next attempt is made by itself.")

    # ------------------------------------------------------------------ asking

    @api.model
    def _check_payer(self):
        """
        :raise AccessError: the user may not ask for identifiers
        """
        if not self.env.su and not self.env.user.has_group('l10n_pl_ksef.group_ksef_send'):
            raise AccessError(self.env._(
                "Only users with the right “KSeF: send” may ask KSeF for a collective identifier. Ask your administrator."))

    @api.model
    def _digest(self, numbers):
        return hashlib.sha256("\n".join(sorted(numbers)).encode()).hexdigest()

    @api.model
    def _find(self, connection, numbers, states=OPEN_STATES):
        """The identifier of exactly these invoices, whoever asks (sudo); empty when there is none."""
        return self.sudo().search([
            ('connection_id', '=', connection.id), ('digest', '=', self._digest(numbers)), ('state', 'in', states)], limit=1)

    @api.model
    def _ask(self, connection, moves, numbers):
        """Have a worker get the identifier; one that is there, or was asked for, is not asked for again."""
        self._check_payer()
        found = self._find(connection, numbers)
        if found:
            found._lock()
            found.move_ids |= moves
            return found.sudo(False)
        companies = moves.company_id
        collective = self.sudo().create({
            'connection_id': connection.id, 'company_id': (companies if len(companies) == 1 else connection.company_id).id,
            'seller_nip': numbers[0][:10], 'seller_name': moves[0].commercial_partner_id.name, 'move_ids': moves.ids,
            'ksef_numbers': sorted(numbers), 'digest': self._digest(numbers), 'invoice_count': len(numbers)})
        collective._start()
        return collective.sudo(False)

    def _lock(self):
        """Keep the row as it is until this transaction ends: a payment that waits for the number must be seen by who writes it.

        Who has read the row before another has changed it begins anew (Odoo repeats the request).
        """
        self.flush_recordset()
        self.env.cr.execute(
            'SELECT id FROM ksef_collective WHERE id IN %s ORDER BY id FOR NO KEY UPDATE', [tuple(self.ids)], log_exceptions=False)
        self.invalidate_recordset()

    def _start(self):
        self.task_id = self.env['ksef.task']._ask(self.connection_id, 'collective', parameters={'collective': self.id})

    # ------------------------------------------------------------------ what the worker says

    def _set_made(self, number):
        """KSeF has given it. Who has given it up meanwhile sees it all the same, but no payment does."""
        is_open = self.state == 'waiting' or (self.state == 'failed' and not self._find(self.connection_id, self.ksef_numbers))
        given = {'state': 'done', 'problem': False} if is_open else {}
        self.write({'number': number, 'made_at': fields.Datetime.now()} | given)

    def _set_failed(self, problem):
        """There is none, and a person must decide: who has asked gets an activity on what is to be paid."""
        self.write({'state': 'failed', 'problem': problem})
        user = self.create_uid
        for record in self.payment_ids or self.move_ids[:1]:
            if user.active and record.with_user(user).has_access('read'):
                record.activity_schedule(
                    'mail.mail_activity_data_todo', user_id=user.id, note=problem,
                    summary=self.env._("KSeF gave no collective identifier; the transfer needs the KSeF numbers"))

    # ------------------------------------------------------------------ buttons

    def action_ask_again(self):
        """Ask KSeF again for what it didn't give, or what was given up."""
        self._check_payer()
        self.check_access('read')
        for collective in self.sudo():
            if collective.state not in ('failed', 'cancelled'):
                raise UserError(self.env._("Only what failed or was given up can be asked for again."))
            other = self._find(collective.connection_id, collective.ksef_numbers)
            if other:
                raise UserError(self.env._(
                    "There is a newer request for the same invoices: %(identifier)s.", identifier=other.display_name))
            collective.write({'state': 'waiting', 'problem': False})
            collective._start()

    def action_cancel(self):
        """Give the request up: payments keep the memo that they have."""
        self._check_payer()
        self.check_access('read')
        for collective in self.sudo():
            if collective.state != 'waiting':
                raise UserError(self.env._("Only what is still waited for can be given up."))
            if collective.task_id.state == 'calling' and collective.task_id._is_in_grace():
                raise UserError(self.env._(
                    "KSeF is making the identifier just now, and its answer is not here yet. Wait two minutes, then look again."))
            collective.write({'state': 'cancelled'})
            collective.payment_ids.write({'ksef_collective_id': False, 'ksef_memo_before': False})
            collective.task_id.write({'state': 'failed', 'message': self.env._("Given up by a person."), 'due_at': False})

    def action_pay(self):
        """Open Odoo's window for paying the bills, all with one payment."""
        self.ensure_one()
        self._check_payer()
        self.check_access('read')
        action = self.move_ids.action_force_register_payment()
        action['context'] = action['context'] | {'default_group_payment': True}
        return action

    def _get_form_action(self):
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window', 'name': self.env._("Collective identifier"), 'res_model': self._name, 'res_id': self.id,
            'views': [(False, 'form')]}


class KsefConnection(models.Model):
    _inherit = 'ksef.connection'

    collective_most = fields.Integer(
        readonly=True, copy=False, help="Invoices in one collective identifier, as KSeF has told; 0: not told.")

    def _forget_secrets(self):
        """What was asked for through the connection is not got any more."""
        waiting = self.env['ksef.collective'].sudo().search([('connection_id', 'in', self.ids), ('state', '=', 'waiting')])
        super()._forget_secrets()
        for collective in waiting:
            collective._set_failed(self.env._("The company was disconnected from KSeF before KSeF had answered."))
