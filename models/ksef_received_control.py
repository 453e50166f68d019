from odoo import fields, models
from odoo.tools import SQL

from .ksef_connection import ENVIRONMENTS
from .ksef_received import ROLES

# What still needs somebody: of an invoice on which the company is neither buyer nor seller nothing is booked.
OPEN = SQL("""(r.state = 'listed' OR r.state IN ('stored', 'failed') AND (r.role IN ('buyer', 'seller') OR r.xml_size IS NULL))""")


class KsefReceivedControl(models.Model):
    """Month by month: what KSeF holds for a company against what Odoo has booked of it.

    A view of the database. What KSeF holds is what was fetched, which is complete up to the position of the stretch that
    follows it (``ksef.fetch``).
    """
    _name = 'ksef.received.control'
    _description = "Monthly control of KSeF invoices"
    _auto = False
    _order = 'month desc, company_id, role'
    _rec_name = 'month'

    company_id = fields.Many2one('res.company', readonly=True)
    environment = fields.Selection(ENVIRONMENTS, readonly=True)
    role = fields.Selection(ROLES, readonly=True)
    month = fields.Date(readonly=True, help="Month of receipt: of the day on which the KSeF number was given.")
    currency_code = fields.Char(string="Currency", readonly=True)
    ksef_count = fields.Integer(string="Invoices in KSeF", readonly=True)
    ksef_gross = fields.Float(string="Gross in KSeF", readonly=True, digits=(16, 2))
    odoo_count = fields.Integer(string="Invoices in Odoo", readonly=True)
    odoo_gross = fields.Float(string="Gross in Odoo", readonly=True, digits=(16, 2))
    aside_count = fields.Integer(string="Set aside", readonly=True)
    open_count = fields.Integer(string="Without a bill", readonly=True)
    difference_count = fields.Integer(
        string="Different amounts", readonly=True, help="Bills whose total is not that of the KSeF invoice, or that are cancelled.")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT MIN(r.id) AS id, r.company_id, r.environment, r.role, r.currency_code,
                   date_trunc('month', r.acquisition_date AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Warsaw')::date AS month,
                   COUNT(*) AS ksef_count, SUM(r.gross_amount) AS ksef_gross,
                   COUNT(m.id) AS odoo_count, SUM(%(booked)s) AS odoo_gross,
                   COUNT(*) FILTER (WHERE r.state IN ('ignored', 'disputed')) AS aside_count,
                   COUNT(*) FILTER (WHERE %(open)s) AS open_count,
                   COUNT(m.id) FILTER (WHERE m.state = 'cancel' OR r.gross_amount != %(booked)s) AS difference_count
              FROM ksef_received r LEFT JOIN account_move m ON m.id = r.move_id
          GROUP BY r.company_id, r.environment, r.role, r.currency_code, month
            """,
            open=OPEN, booked=SQL("CASE WHEN m.move_type IN ('in_refund', 'out_refund') THEN -m.amount_total ELSE m.amount_total END"))

    def action_open_differences(self):
        """The invoices of the month that need somebody: without a bill, or with one of another amount."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_received')
        return action | {
            'name': self.env._("Differences"), 'context': {}, 'domain': [('id', 'in', self._difference_ids())],
            'views': [(self.env.ref('l10n_pl_ksef.ksef_received_view_list_differences').id, 'list'), (False, 'form')]}

    def _difference_ids(self):
        """Ids of the month's invoices that are open or whose bill differs."""
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            """
            SELECT r.id FROM ksef_received r LEFT JOIN account_move m ON m.id = r.move_id
             WHERE r.company_id = %(company)s AND r.environment = %(environment)s AND r.role = %(role)s
               AND r.currency_code IS NOT DISTINCT FROM %(currency)s
               AND date_trunc('month', r.acquisition_date AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Warsaw')::date
                   IS NOT DISTINCT FROM %(month)s
               AND (%(open)s OR m.state = 'cancel' OR r.gross_amount !=
                   CASE WHEN m.move_type IN ('in_refund', 'out_refund') THEN -m.amount_total ELSE m.amount_total END)
            """,
            company=self.company_id.id, environment=self.environment, role=self.role, currency=self.currency_code or None,
            month=self.month or None, open=OPEN))
        return [id_ for [id_] in rows]
