"""What the tests of FA(3) stand on: the taxes of the Polish chart, invoices, and reading XML on their own."""
from decimal import Decimal

from lxml import etree
from odoo import Command

from .common import KsefCommon

NS = {'fa': 'http://crd.gov.pl/wzor/2025/06/25/13775/'}


class Fa3Common(KsefCommon):
    """A Polish company that renders invoices; nothing here talks to KSeF."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bank_account = cls.env['res.partner.bank'].create({
            'acc_number': 'PL61 1090 1014 0000 0712 1981 2874', 'partner_id': cls.company.partner_id.id,
            'bank_id': cls.env['res.bank'].create({'name': 'Bank Testowy', 'bic': 'WBKPPLPPXXX'}).id,
        })

    @classmethod
    def chart_tax(cls, template):
        """The tax that was made from a template of the Polish chart."""
        tax = cls.env['account.chart.template'].with_company(cls.company).ref(template)
        tax.active = True
        return tax

    @classmethod
    def new_partner(cls, **values):
        """A business in Kraków, unless the values say otherwise."""
        country = cls.env.ref(f'base.{values.pop("country", "pl")}')
        return cls.env['res.partner'].create({
            'name': "Kontrahent", 'street': "ul. Krótka 3", 'zip': "30-001", 'city': "Kraków",
            'is_company': True, 'country_id': country.id, **values,
        })

    @classmethod
    def new_invoice(cls, *lines, **values):
        """A posted invoice; lines are dicts of journal item values, the tax as 'tax' (23 % unless said)."""
        post = values.pop('post', True)
        lines = [dict(line) for line in lines or [{}]]
        for line in lines:
            if 'display_type' not in line:
                tax = line.pop('tax', cls.tax_23)
                line.setdefault('tax_ids', [Command.set(tax.ids)])
                line.setdefault('price_unit', 100.0)
                line.setdefault('name', "Towar")
        move = cls.env['account.move'].with_company(cls.company).create({
            'move_type': 'out_invoice', 'partner_id': cls.buyer.id, 'partner_bank_id': False,
            'invoice_date': cls.env['account.move']._ksef_today(),
            'invoice_line_ids': [Command.create(line) for line in lines], **values,
        })
        if post:
            move.action_post()
        return move

    def render(self, move):
        """The XML of an invoice that has no errors, parsed; warnings are allowed."""
        rendered = move._ksef_render()
        errors = [finding for finding in rendered.findings if finding['severity'] == 'error']
        self.assertFalse(errors)
        self.assertIsNotNone(rendered.xml)
        return etree.fromstring(rendered.xml)

    def refused(self, move, code):
        """The finding with this code that keeps an invoice from being sent."""
        rendered = move._ksef_render()
        self.assertIsNone(rendered.xml)
        found = [finding for finding in rendered.findings if finding['code'] == code]
        self.assertEqual(len(found), 1, f"{code} not found once: {rendered.findings}")
        self.assertEqual(found[0]['severity'], 'error')
        self.assertTrue(found[0]['message'])
        self.assertTrue(found[0]['field'])
        self.assertTrue(self.env[found[0]['res_model']].browse(found[0]['res_id']).exists())
        return found[0]

    def warned(self, move, code):
        """The warning with this code of an invoice that can be sent all the same."""
        rendered = move._ksef_render()
        self.assertIsNotNone(rendered.xml, rendered.findings)
        found = [finding for finding in rendered.findings if finding['code'] == code]
        self.assertEqual([finding['severity'] for finding in found], ['warning'])
        return found[0]

    def codes(self, move):
        """The codes of all findings of an invoice."""
        return [finding['code'] for finding in move._ksef_render().findings]

    @staticmethod
    def all(root, path):
        """The texts of the elements at a path such as 'Fa/FaWiersz/P_7'."""
        steps = '/'.join(f'fa:{step}' for step in path.split('/'))
        return [element.text for element in root.findall(steps, NS)]

    def one(self, root, path):
        """The text of the only element at a path, None when there is none."""
        texts = self.all(root, path)
        self.assertLessEqual(len(texts), 1, path)
        return texts[0] if texts else None

    def sums(self, root):
        """The sums per group of rates: {'P_13_1': Decimal, ...}."""
        return {
            etree.QName(element).localname: Decimal(element.text)
            for element in root.find('fa:Fa', NS) if etree.QName(element).localname.startswith(('P_13', 'P_14'))
        }
