from odoo import fields, models


class KsefConnectionResponsible(models.TransientModel):
    """Who is told when something ends: the one value of a connection that a person chooses without connecting anew."""
    _name = 'ksef.connection.responsible'
    _description = "Responsible person for KSeF"

    connection_id = fields.Many2one('ksef.connection', required=True, ondelete='cascade')
    company_id = fields.Many2one(related='connection_id.company_id')
    user_id = fields.Many2one(
        'res.users', string="Responsible", required=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Who is told when a certificate or token is about to end, or the connection needs a person.")

    def action_apply(self):
        """Make this person responsible; what he has to know already moves to him."""
        self.ensure_one()
        connection = self.connection_id
        connection._check_manager()
        connection.check_access('read')
        self.check_access('write')
        user = self.user_id.filtered_domain([('share', '=', False), ('company_ids', 'in', connection.company_id.ids)])
        connection._set_responsible(user)
        return connection._get_form_action()
