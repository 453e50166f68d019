"""Rendering many invoices at once: no queries for each of them, nothing remembered longer than the batch."""
import gc
from unittest.mock import patch

from odoo.tests import tagged

from .test_fa3_common import Fa3Common


@tagged('post_install', '-at_install')
class TestBatch(Fa3Common):

    def queries(self, moves):
        """How many queries rendering takes when nothing was read before."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.assertTrue(all(result.xml for result in moves._ksef_render_batch().values()))
        return self.env.cr.sql_log_count - before

    def test_queries_do_not_grow(self):
        """As many queries for eight invoices of eight buyers as for two."""
        moves = self.env['account.move'].concat(*(
            self.new_invoice({}, {'tax': self.tax_8}, partner_id=self.new_partner(vat='PL5261040828').id) for _number in range(8)))
        self.queries(moves)
        self.assertEqual(self.queries(moves[:2]), self.queries(moves))

    def test_nothing_is_remembered(self):
        """What was worked out for one rendering isn't there for the next, and not after an exception either."""
        move = self.new_invoice()
        self.assertIn(b'<P_8B>1</P_8B>', move._ksef_render().xml)
        self.assertFalse(move._ksef_is_correction())
        move.ksef_receipt_invoice = True
        move.commercial_partner_id.name = "Inna nazwa"
        xml = move._ksef_render().xml
        self.assertIn(b'<FP>1</FP>', xml)
        self.assertIn(b"Inna nazwa", xml)
        enabled = gc.isenabled()
        broken = patch.object(self.registry['account.move'], '_ksef_total', side_effect=ZeroDivisionError)
        with broken, self.assertRaises(ZeroDivisionError):
            move._ksef_render()
        self.assertEqual(gc.isenabled(), enabled)
        move.commercial_partner_id.name = "Jeszcze inna"
        self.assertIn("Jeszcze inna", move._ksef_buyer().name)
