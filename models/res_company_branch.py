from odoo import api, fields, models

from .ksef_invoice_party import polish_number


class ResCompany(models.Model):
    """Branches: a company with a parent and no NIP of its own is no taxpayer, so it works through its parent's connection.

    ``ksef_connection_id`` holds for every company the connection that its invoices really go through, so that everything
    which reads it, SQL included, needs to know nothing of branches.
    """
    _inherit = 'res.company'

    ksef_connection_id = fields.Many2one(
        compute='_compute_ksef_connection_id', store=True, readonly=False, recursive=True, compute_sudo=True)

    @api.depends('parent_id.ksef_connection_id', 'partner_id.vat', 'parent_id.partner_id.vat')
    def _compute_ksef_connection_id(self):
        """A connection of its own is kept (a branch can have one as a unit with an internal identifier); else the parent's."""
        for company in self:
            own = company.ksef_connection_id
            if own and own.company_id == company:
                continue
            company.ksef_connection_id = False if company._ksef_is_taxpayer() else company.parent_id.ksef_connection_id

    def _ksef_is_taxpayer(self):
        """Whether the company has a NIP of its own; a branch that repeats its parent's has none."""
        self.ensure_one()
        parent = self.sudo().parent_id
        if not parent:
            return True
        number = polish_number(self.sudo().vat)
        return bool(number) and number != polish_number(parent._ksef_taxpayer().vat)

    def _ksef_taxpayer(self):
        """The company whose NIP, name and address stand on the invoices of this one, whoever asks (sudo)."""
        company = self.sudo()
        while not company._ksef_is_taxpayer():
            company = company.parent_id
        return company

    def _ksef_works_through(self):
        """The parent whose connection this branch uses (sudo), or an empty company where it has its own or needs one."""
        self.ensure_one()
        company = self.sudo()
        connection = company.ksef_connection_id
        if connection.company_id == company or company._ksef_is_taxpayer():
            return company.browse()
        return connection.company_id or company._ksef_taxpayer()

    def _ksef_unconnected_text(self):
        """Why nothing can be sent for this company, and who does what about it."""
        self.ensure_one()
        parent = self._ksef_works_through()
        if parent:
            return self.env._(
                "%(company)s works through the connection of %(parent)s, which is not connected to KSeF. An administrator connects "
                "%(parent)s in Invoicing → KSeF → Connections.", company=self.display_name, parent=parent.name)
        return self.env._(
            "%(company)s is not connected to KSeF. An administrator connects it in Invoicing → KSeF → Connections.",
            company=self.display_name)


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_seller_company(self):
        """The company that stands on the invoice as its seller (Podmiot1): of a branch, the taxpayer that it belongs to."""
        self.ensure_one()
        return self.company_id._ksef_taxpayer()

    def _ksef_origin_of(self, path, origin):
        """What is wrong with the seller of a branch's invoice is mended at its parent."""
        record, field_name = super()._ksef_origin_of(path, origin)
        if field_name == 'ksef_issue_place':
            return record, field_name
        if record == self.company_id:
            return self._ksef_seller_company().sudo(False), field_name
        if record == self.company_id.partner_id:
            return self._ksef_seller_company().partner_id.sudo(False), field_name
        return record, field_name


class KsefConnection(models.Model):
    _inherit = 'ksef.connection'

    branch_names = fields.Char(
        string="Also for", compute='_compute_branch_names', compute_sudo=True,
        help="Branches (oddziały) without a NIP of their own, which work through this connection")
    can_use_parent = fields.Boolean(compute='_compute_branch_names', compute_sudo=True)

    @api.depends('company_id')
    def _compute_branch_names(self):
        for connection in self:
            using = self.env['res.company'].search([('ksef_connection_id', '=', connection.id)]) - connection.company_id
            connection.branch_names = ", ".join(using.mapped('name')) or False
            company = connection.company_id
            connection.can_use_parent = not company._ksef_is_taxpayer() and company.ksef_connection_id == connection

    def action_use_parent(self):
        """Let the branch work through its parent's connection again."""
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        company = self.company_id.sudo()
        if not company._ksef_is_taxpayer():
            company.ksef_connection_id = company.parent_id.ksef_connection_id
        return self._get_form_action()
