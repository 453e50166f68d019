import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date

from .account_move_lock import SALE_TYPES
from .ksef_bill_notes import Remark
from .ksef_document import LIVE_STATES
from .ksef_received_bill import IN_REQUEST


class ResCompany(models.Model):
    _inherit = 'res.company'

    ksef_sale_journal_id = fields.Many2one(
        'account.journal', string="Journal of sales issued elsewhere", domain="[('ksef_is_elsewhere', '=', True)]",
        help="Own sales that another program has issued, taken over from KSeF with their numbers. Made when the first one comes.")

    def _ksef_get_elsewhere_journal(self):
        """The journal of sales issued elsewhere, made when there is none: their numbers must not lead Odoo's own on."""
        self.ensure_one()
        company = self.sudo()
        if not company.ksef_sale_journal_id:
            journals = self.env['account.journal'].sudo().with_context(active_test=False).search(
                [('company_id', '=', self.id)], order='active DESC, sequence, id')
            codes = set(journals.mapped('code'))
            company.ksef_sale_journal_id = journals.create({
                'name': self.env._("Sales issued elsewhere (KSeF)"), 'type': 'sale', 'company_id': self.id,
                'ksef_is_elsewhere': True, 'show_on_dashboard': False,
                'default_account_id': journals.filtered(lambda journal: journal.type == 'sale').default_account_id[:1].id,
                'code': next(code for code in ('KSEF', *(f'KSE{number}' for number in range(100))) if code not in codes)})
        return company.ksef_sale_journal_id


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    ksef_sale_journal_id = fields.Many2one(related='company_id.ksef_sale_journal_id', readonly=False)


class AccountJournal(models.Model):
    _inherit = 'account.journal'

    ksef_is_elsewhere = fields.Boolean(
        string="Sales issued elsewhere", readonly=True, copy=False,
        help="The invoices of this journal have the numbers of other programs, which follow no order here.")


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _sequence_matches_date(self):
        """Numbers given elsewhere say nothing about the date."""
        return self.journal_id.ksef_is_elsewhere or super()._sequence_matches_date()


class KsefDocument(models.Model):
    _inherit = 'ksef.document'

    origin = fields.Selection(selection_add=[('ksef', "Found in KSeF")])

    def _check_again(self):
        """KSeF has said everything: the invoice itself came from there."""
        found = self.sudo().filtered(lambda document: document.origin == 'ksef')
        return super(KsefDocument, self - found.with_env(self.env))._check_again()


class AccountMoveFound(models.Model):
    _inherit = 'account.move'

    def _ksef_open_documents(self):
        """There is nothing to ask about invoices that came from KSeF."""
        return super()._ksef_open_documents().filtered(lambda document: document.origin != 'ksef')


class KsefFetch(models.Model):
    _inherit = 'ksef.fetch'

    def _advance(self, position, now):
        """What this program has sent meanwhile may have been fetched before its acceptance was known here."""
        super()._advance(position, now)
        if self.role == 'seller':
            self.env['ksef.received']._link_sent(self.company_id)


class KsefReceived(models.Model):
    """Own sales in the inbox: matched with Odoo's invoices, or imported as such; accepted by KSeF, so closed, and never sent."""
    _inherit = 'ksef.received'

    is_own_sale = fields.Boolean(compute='_compute_is_own_sale')

    @api.depends('roles', 'role')
    def _compute_is_own_sale(self):
        for received in self:
            received.is_own_sale = 'seller' in (received.roles or received.role or '').split(',') and not received.is_purchase

    # ------------------------------------------------------------------ matching

    @api.model
    def _link_sent(self, company, ids=None):
        """Link sales that this program has sent, or taken over, to their invoices, by their KSeF numbers.

        :param ids: only these; all open ones of the company otherwise
        """
        self.env.flush_all()
        self.env.cr.execute(SQL(
            """
            UPDATE ksef_received r SET state = 'linked', move_id = d.move_id, due_at = NULL, problem = NULL, bill_wanted = FALSE
              FROM ksef_document d
             WHERE %(which)s AND r.company_id = %(company)s AND r.state IN ('listed', 'stored', 'failed') AND r.role = 'seller'
               AND d.state = 'accepted' AND d.move_id IS NOT NULL
               AND d.ksef_number = r.ksef_number AND d.environment = r.environment
               AND (d.company_id = r.company_id OR d.connection_id = r.connection_id)
               AND NOT EXISTS (SELECT 1 FROM ksef_received o WHERE o.move_id = d.move_id)
            """, which=SQL("r.id IN %s", tuple(ids)) if ids else SQL("TRUE"), company=company.id))
        self.env['ksef.received'].invalidate_model()

    @api.model
    def _want_matches(self, ids):
        """Have a worker match those that have an invoice of the same number here which nobody has sent."""
        self.env.cr.execute(SQL(
            """
            UPDATE ksef_received r SET bill_wanted = TRUE, bill_auto = TRUE, due_at = %(now)s
              FROM res_company own
             WHERE r.id IN %(ids)s AND r.state = 'stored' AND r.role = 'seller' AND own.id = r.company_id
               AND EXISTS (SELECT 1 FROM account_move m JOIN res_company c ON c.id = m.company_id
                            WHERE m.name = r.invoice_number AND m.move_type IN %(types)s AND m.state = 'posted'
                              AND c.parent_path LIKE own.parent_path || '%%')
            """, ids=tuple(ids), now=fields.Datetime.now(), types=SALE_TYPES))

    def _find_own_moves(self):
        """Odoo's confirmed invoices with this one's number, of the company and its branches."""
        self.ensure_one()
        return self.env['account.move'].sudo().search([
            ('company_id', 'child_of', self.company_id.id), ('move_type', 'in', SALE_TYPES), ('state', '=', 'posted'),
            ('name', '=', self.invoice_number)]) if self.invoice_number else self.env['account.move']

    def _differs_from(self, move):
        """What an invoice of the same number has otherwise than KSeF's, or '' when it is the same one."""
        signed = -move.amount_total if move.move_type == 'out_refund' else move.amount_total
        buyer = re.sub(r'\W', '', self.buyer_identifier or '').upper()
        ours = re.sub(r'\W', '', move.commercial_partner_id.vat or '').upper()
        if move.currency_id.name != self.currency_code or move.currency_id.compare_amounts(signed, self.gross_amount):
            return self.env._("its amount is %(amount)s %(currency)s", amount=f"{signed:.2f}", currency=move.currency_id.name)
        if buyer not in {ours, re.sub(r'^[A-Z]{2}', '', ours)}:
            return self.env._("its buyer has the tax number %(number)s", number=move.commercial_partner_id.vat or '–')
        # Programs count anew each year: the same number a year later is another invoice.
        if self.issue_date and move.invoice_date != self.issue_date:
            return self.env._("it was issued on %(day)s", day=format_date(self.env, move.invoice_date))
        return ''

    def _match_sale(self):
        """Tie the sale to the one invoice in Odoo that it is; return that, or nothing when there is none of its number.

        :raise UserError: there is one of its number, and it can't be told whether it is this one
        """
        self.ensure_one()
        self._link_sent(self.company_id, self.ids)
        if self.state == 'linked':
            return self.move_id
        moves = self._find_own_moves()
        if not moves:
            return moves
        if len(moves) > 1:
            raise UserError(self.env._("Several invoices in Odoo have the number %(number)s.", number=self.invoice_number))
        difference = self._differs_from(moves)
        if difference:
            raise UserError(self.env._(
                "Odoo has an invoice with the number %(number)s too, but %(difference)s. Compare both; KSeF never takes a number twice.",
                number=self.invoice_number, difference=difference))
        moves._ksef_rows_lock()
        if self.env['ksef.document'].sudo().search_count([('move_id', '=', moves.id), ('state', 'in', LIVE_STATES)], limit=1):
            raise UserError(self.env._(
                "%(invoice)s is on its way to KSeF, or has another KSeF number. Wait for KSeF's answer, or withdraw it, then try again.",
                invoice=moves.name))
        self._adopt(moves)
        self._transition('linked', move_id=moves.id, candidate_id=False, bill_wanted=False, bill_auto=False,
                         decided_by=self.env.uid, decided_at=fields.Datetime.now())
        return moves

    def _adopt(self, move):
        """Make KSeF's document the one of an invoice: accepted, so closed and never sent."""
        self.env['ksef.takeover']._add_documents(move.company_id, self.connection_id, 'ksef', [{
            'move_id': move.id, 'state': 'accepted', 'ksef_number': self.ksef_number, 'xml': self.with_context(bin_size=False).xml,
            'xml_hash': self.xml_hash, 'xml_size': self.xml_size, 'invoice_number': self.invoice_number,
            'invoice_kind': self.invoice_kind, 'issue_date': self.issue_date, 'seller_nip': self.seller_nip,
            'invoicing_date': self.invoicing_date, 'acquisition_date': self.acquisition_date,
            'permanent_storage_date': self.permanent_storage_date, 'invoicing_mode': self.invoicing_mode,
            'takeover_note': self.env['ksef.takeover']._no_upo_note(),
        }])

    # ------------------------------------------------------------------ importing

    def _check_importer(self):
        """What these own sales become is confirmed customer invoices.

        :raise AccessError: there are any, and the user may not enter such invoices
        """
        if self and not self.env.su and not self.env.user.has_group('account.group_account_invoice'):
            raise AccessError(self.env._(
                "Own sales become confirmed customer invoices: only users who enter invoices may import them. Ask your administrator."))

    def action_import_sale(self):
        """Match the sales with Odoo's invoices, or make invoices of them; those that can't be told say why.

        :raise AccessError: the user may not enter customer invoices
        :raise UserError: none of them is an own sale whose XML has come
        """
        self._check_bookkeeper()
        self._check_importer()
        self.check_access('read')
        ready = self.filtered(lambda one: one.is_own_sale and one.xml_size and one.state in ('stored', 'failed'))
        if not ready:
            raise UserError(self.env._(
                "Customer invoices are made only of own sales whose XML has come, and that have no invoice yet."))
        if len(ready) > IN_REQUEST:
            ready.sudo().write({'bill_wanted': True, 'bill_auto': False, 'due_at': fields.Datetime.now()})
            self.env['ksef.worker']._trigger_workers()
            return {'type': 'ir.actions.client', 'tag': 'display_notification', 'params': {
                'message': self.env._("%(count)s invoices are being made in the background.", count=len(ready)), 'type': 'info'}}
        # Originals before their corrections.
        for received in ready.sorted(lambda one: (one.acquisition_date, one.id)):
            received._make_bill()
        return ready._show_bills()

    def _make_wanted_bill(self):
        """Sales are only matched by themselves; a person alone has them imported."""
        if not self.is_own_sale or not self.bill_auto:
            return super()._make_wanted_bill()
        self._lock()
        try:
            with self.env.cr.savepoint():
                self._match_sale()
        except UserError as error:
            self.problem = str(error)
        self.write({'bill_wanted': False, 'bill_auto': False, 'due_at': False})
        return None

    def _try_bill(self, received, is_different):
        """An own sale becomes a customer invoice, or is tied to the one that it is."""
        if not received.is_own_sale:
            return super()._try_bill(received, is_different)
        return received._match_sale() or received._import_sale()

    def _import_sale(self):
        """Make, prove, confirm and close the customer invoice of a sale that another program has issued.

        :raise UserError: it can't be booked, or its sums would not be those of the invoice
        """
        company = self.company_id
        sales = self.env['ksef.sale'].with_company(company).with_context(lang=company.partner_id.lang or self.env.lang)
        invoice = sales._read(self._get_xml())
        if sales._is_data_only(invoice):
            return self._book_data_only(sales, invoice)
        values, notes = sales._values(company, invoice)
        move = sales._create(values, invoice, notes)
        doubts = [move.ksef_bill_problem or '', *(note for note in notes if not isinstance(note, Remark))]
        if any(doubts):
            raise UserError(" ".join(filter(None, doubts)))
        move.with_context(ksef_no_automatic=True)._post(soft=False)
        if move.name != str(invoice.number):
            raise UserError(self.env._("The invoice would get another number than %(number)s.", number=invoice.number))
        self._adopt(move.sudo())
        self._transition(
            'imported', move_id=move.id, candidate_id=False, bill_wanted=False, bill_auto=False, decided_by=self.env.uid,
            decided_at=fields.Datetime.now())
        move.sudo().message_post(body=self.env._("From KSeF invoice %(number)s.", number=self.ksef_number))
        self._attach_xml(move)
        original = move.reversed_entry_id or (sales._find_original(invoice, company) if invoice.correction else move.browse())
        if original:
            sales._tie_correction(move.sudo(), original.sudo())
        return move
