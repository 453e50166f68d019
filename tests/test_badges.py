"""The environment has its colour wherever it is shown, so that nobody takes DEMO for production (S3-04)."""
from lxml import etree
from odoo.tests import TransactionCase, tagged

COLOURS = {'success': 'production', 'warning': 'demo', 'info': 'test', 'muted': 'local'}


@tagged('post_install', '-at_install')
class TestBadges(TransactionCase):

    def test_every_screen(self):
        """Each field that shows an environment, in every view of the addon, is a badge with four colours; radio buttons choose it."""
        found = 0
        names = self.env['ir.model.data'].search([('module', '=', 'l10n_pl_ksef'), ('model', '=', 'ir.ui.view')])
        views = self.env['ir.ui.view'].browse(names.mapped('res_id')).filtered('model')
        for view in views:
            for node in etree.fromstring(view.arch_db.encode()).iter('field'):
                name = node.get('name')
                if name not in ('environment', 'ksef_environment') or view.type == 'search':
                    continue
                if node.get('position') or node.get('invisible') == '1' or node.get('widget') == 'radio':
                    continue
                with self.subTest(view=view.name):
                    self.assertEqual(node.get('widget'), 'badge')
                    for colour, value in COLOURS.items():
                        self.assertEqual(node.get(f'decoration-{colour}'), f"{name} == '{value}'")
                    found += 1
        self.assertGreater(found, 12)
