"""A record of each model of the addon, for the tests that call every public method."""
from odoo import SUPERUSER_ID, Command, fields

from .common import SELLER_NIP

TOKEN = '20261121-EC-B97382798D-071FB39615-52|nip-%s|' + '0123456789abcdef' * 4


class RightsRecords:
    """Needs ``document``, ``company``, ``make_invoice`` and ``make_received`` of the class of tests that it is mixed into."""

    def get_ids(self, model):
        """Records of the first company to call a method on."""
        env = self.env(user=SUPERUSER_ID)
        match model:
            case 'ksef.document' | 'ksef.connection' | 'account.move':
                return {'ksef.document': self.document, 'account.move': self.document.move_id}.get(
                    model, self.document.sudo().connection_id).ids
            case 'ksef.credential' | 'ksef.task' | 'ksef.login' | 'ksef.upload.signed' | 'ksef.connection.responsible':
                return self.get_connection_ids(env, model)
            case 'ksef.collective' | 'ksef.session' | 'ksef.permission' | 'ksef.permission.grant' | 'ksef.permission.revoke' | 'ksef.chore':
                return self.get_connection_ids(env, model)
            case 'ksef.send' | 'ksef.preview' | 'ksef.go.offline':
                return self.get_window_ids(env, model)
            case 'ksef.connect' | 'ksef.takeover.wizard' | 'ksef.import.numbers' | 'ksef.mode.change' | 'ksef.archive':
                token = {'token': TOKEN % SELLER_NIP} if model == 'ksef.connect' else {}
                return env[model].create({'company_id': self.company.id} | token).ids
            case 'ksef.month.check' | 'ksef.month.check.line':
                return self.get_month_ids(env, model)
            case 'ksef.delivery':
                values = {'company_id': self.company.id, 'move_id': self.document.move_id.id}
                return (env[model].search([('move_id', '=', values['move_id'])]) or env[model].create(values)).ids
            case 'res.config.settings':
                return env['res.config.settings'].create({'company_id': self.company.id}).ids
        return [] if model == 'ksef.overview' else self.get_received_ids(env, model)

    def get_window_ids(self, env, model):
        """The same for the windows in which invoices are looked at before they go."""
        moves = self.make_invoice(company=self.company)
        if model == 'ksef.go.offline':
            return env[model].create({'move_ids': moves.ids}).ids
        send = env['ksef.send'].create({'move_ids': moves.ids})
        preview = env['ksef.preview'].create({'move_ids': send.move_ids.ids, 'send_id': send.id})
        return {'ksef.send': send, 'ksef.preview': preview}[model].ids

    def get_month_ids(self, env, model):
        """The same for the check of a month."""
        check = env['ksef.month.check'].create({'company_id': self.company.id, 'first_day': fields.Date.today().replace(day=1)})
        line = env['ksef.month.check.line'].create({'check_id': check.id, 'kind': 'missing', 'count': 1})
        return {'ksef.month.check': check, 'ksef.month.check.line': line}[model].ids

    def get_connection_ids(self, env, model):
        """The same for what belongs to a connection."""
        connection = env['ksef.connection'].browse(self.document.sudo().connection_id.id)
        match model:
            case 'ksef.credential':
                return connection.credential_ids[:1].ids
            case 'ksef.task':
                return env['ksef.task'].create({'connection_id': connection.id, 'kind': 'list_logins', 'state': 'failed'}).ids
            case 'ksef.login':
                return env['ksef.login'].create({'connection_id': connection.id, 'reference_number': 'x'}).ids
            case 'ksef.session':
                return env['ksef.session'].create({'connection_id': connection.id, 'reference_number': 'x', 'state': 'open'}).ids
            case 'ksef.collective':
                numbers = [f'{SELLER_NIP}-20260101-00000000000{digit}-00' for digit in 'AB']
                return (env[model]._find(connection, numbers) or env[model].create({
                    'connection_id': connection.id, 'company_id': self.company.id, 'seller_nip': SELLER_NIP, 'ksef_numbers': numbers,
                    'digest': env[model]._digest(numbers)})).ids
            case 'ksef.permission':
                return env[model].create({'connection_id': connection.id, 'kind': 'person', 'state': 'active'}).ids
            case 'ksef.chore':
                return (env[model]._add_missing(connection) or env[model].search([('connection_id', '=', connection.id)], limit=1)).ids
            case 'ksef.connection.responsible':
                return env[model].create({'connection_id': connection.id, 'user_id': env.uid}).ids
        return env[model].create({'connection_id': connection.id}).ids

    def get_received_ids(self, env, model):
        """The same for what is received from KSeF."""
        match model:
            case 'ksef.received':
                return self.make_received(env).ids
            case 'ksef.received.control':
                self.make_received(env)
                return env['ksef.received.control'].search([('company_id', '=', self.company.id)], limit=1).ids
            case 'ksef.fetch':
                connection = self.document.sudo().connection_id
                today = env['account.move']._ksef_today()
                return env['ksef.fetch']._begin(connection, 'buyer', today, today).ids
            case 'ksef.fetch.now':
                return env['ksef.fetch.now'].create({'company_ids': [Command.set(self.company.ids)]}).ids
            case 'ksef.product.map':
                partner = env['res.partner'].create({'name': "Hurtownia"})
                return env[model].create({'company_id': self.company.id, 'partner_id': partner.id, 'line_name': "x"}).ids
            case 'ksef.received.receipt':
                return env[model].create(
                    {'received_id': self.make_received(env).id, 'day': fields.Date.today(), 'reason': "x"}).ids
            case 'ksef.received.reason':
                return env['ksef.received.reason'].create(
                    {'received_ids': [Command.set(self.make_received(env).ids)], 'reason': "x"}).ids
        raise AssertionError(model)
