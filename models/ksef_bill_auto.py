from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

AUTO = [
    ('no', "By hand"),
    ('draft', "Draft bills"),
    ('post', "Draft bills, confirmed when everything is proven"),
]


class ResCompany(models.Model):
    _inherit = 'res.company'

    ksef_auto_bill = fields.Selection(
        AUTO, string="Bills from KSeF", default='no', required=True,
        help="What is made of a received purchase without anybody's doing. Nothing is ever confirmed while something is left to check.")
    ksef_auto_user_id = fields.Many2one('res.users', string="Responsible for bills from KSeF")
    ksef_auto_after = fields.Integer(
        string="Confirmed by hand before", default=3,
        help="How many bills of a supplier must have been confirmed by hand before one is confirmed by itself.")


class ResPartner(models.Model):
    _inherit = 'res.partner'

    ksef_auto_bill = fields.Selection(
        AUTO, string="Bills of this supplier from KSeF", company_dependent=True, help="Empty: as the company's settings say.")


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    ksef_auto_bill = fields.Selection(related='company_id.ksef_auto_bill', readonly=False, required=True)
    ksef_auto_user_id = fields.Many2one(related='company_id.ksef_auto_user_id', readonly=False)
    ksef_auto_after = fields.Integer(related='company_id.ksef_auto_after', readonly=False)
    ksef_create_suppliers = fields.Boolean(related='company_id.ksef_create_suppliers', readonly=False)


class KsefReceived(models.Model):
    """What is done with an invoice as soon as its bytes are here."""
    _inherit = 'ksef.received'

    bill_auto = fields.Boolean(readonly=True, help="The bill is made by the company's rule, not at a person's wish.")

    @api.model
    def _after_stored(self, ids):
        """Own sales find their invoices; purchases get their bills where the company, or a rule of the supplier, wants that."""
        if not ids:
            return
        company = self.browse(ids[:1]).company_id
        self._link_sent(company, ids)
        self._want_matches(ids)
        self.env.cr.execute(SQL(
            """
            UPDATE ksef_received r SET bill_wanted = TRUE, bill_auto = TRUE, due_at = %(now)s
              FROM res_company c
             WHERE r.id IN %(ids)s AND r.state = 'stored' AND r.role = 'buyer' AND c.id = r.company_id
               AND (c.ksef_auto_bill IN ('draft', 'post') OR r.seller_nip IN (
                       SELECT regexp_replace(p.vat, '[^0-9]', '', 'g') FROM res_partner p
                        WHERE p.ksef_auto_bill ->> %(company)s IN ('draft', 'post')))
            """, ids=tuple(ids), company=str(company.id), now=fields.Datetime.now()))
        self.browse(ids).invalidate_recordset()

    def _make_wanted_bill(self):
        """What a worker does for one invoice whose bill is wanted."""
        self.ensure_one()
        is_auto, company = self.bill_auto, self.company_id
        if is_auto and self._auto_mode() == 'no':
            self.write({'bill_wanted': False, 'bill_auto': False, 'due_at': False})
            return
        received = self.with_user(company.ksef_auto_user_id or self.env.user).sudo().with_context(ksef_automatic=is_auto)
        move = received._make_bill()
        if is_auto and move:
            move.with_company(company)._ksef_finish_automatic(self._auto_mode())

    def _auto_mode(self):
        """The rule of the supplier, or else of the company."""
        partner = self.env['ksef.bill']._partners_of(self.company_id, self.seller_nip)[:1]
        return (partner and partner.with_company(self.company_id).ksef_auto_bill) or self.company_id.ksef_auto_bill


class AccountMove(models.Model):
    """Bills that nobody has touched: confirmed only when nothing is in doubt."""
    _inherit = 'account.move'

    ksef_auto_posted = fields.Boolean(string="Confirmed by the program", copy=False, readonly=True)

    def _show_autopost_bills_wizard(self):
        """Bills from KSeF follow the rules of the company and the supplier, not Odoo's question about files."""
        return False if self.sudo().ksef_received_ids else super()._show_autopost_bills_wizard()

    def _ksef_finish_automatic(self, mode):
        """Confirm a bill that was made by itself when nothing is left to check; else hand it to the responsible."""
        self.ensure_one()
        doubts = self._ksef_doubts()
        if mode == 'post' and not doubts:
            try:
                with self.env.cr.savepoint():
                    self._post()
                    self.ksef_auto_posted = True
            except UserError as error:
                doubts = [str(error)]
        if doubts:
            self._ksef_tell_responsible(self.env._("Check the bill from KSeF"), doubts)

    def _ksef_doubts(self):
        """Why a bill made by itself must be seen by a person: [sentences]; empty when everything is proven."""
        doubts = [self.ksef_bill_problem] if self.ksef_bill_problem else []
        doubts += (self.ksef_bill_notes or '').splitlines()
        if any(not line.ksef_match for line in self.invoice_line_ids):
            doubts.append(self.env._("A line of the invoice was not recognised."))
        if self.move_type != 'in_invoice':
            doubts.append(self.env._("It is a correction."))
        confirmed = self.search_count([
            ('company_id', '=', self.company_id.id), ('commercial_partner_id', '=', self.commercial_partner_id.id),
            ('move_type', '=', 'in_invoice'), ('state', '=', 'posted'), ('ksef_auto_posted', '=', False)])
        if confirmed < self.company_id.ksef_auto_after:
            doubts.append(self.env._(
                "Only %(count)s bills of this supplier were confirmed by hand so far.", count=confirmed))
        return doubts
