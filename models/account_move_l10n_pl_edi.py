from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .ksef_document import LOCKING_STATES

# Where the other module shows itself on the invoice form.
OTHER_NODES = (
    "//button[starts-with(@name, 'action_l10n_pl_edi_')]",
    "//div[field[@name='l10n_pl_edi_header']]",
    "//div[div/field[@name='l10n_pl_edi_header']]",
    "//field[@name='l10n_pl_edi_status']",
    "//group[field[@name='l10n_pl_edi_number']]",
)


class AccountMove(models.Model):
    """Living beside Odoo's own KSeF module (l10n_pl_edi), which is there or not; nothing here depends on it.

    What it has sent is never sent by us. Our answers are mirrored into its fields, because Odoo's JPK reports read
    them and because it would otherwise send again. Its buttons disappear where a company is connected here.
    """
    _inherit = 'account.move'

    @api.model
    def _ksef_has_other_module(self):
        return 'l10n_pl_edi_status' in self._fields

    @api.model
    def _ksef_sent_elsewhere_sql(self):
        """Condition over m (account_move): the other module has sent the invoice, so its fields are not our mirror.

        What we mirrored is known by our reference number, the one shown on the invoice or one of its documents. Without any
        reference number, which KSeF's answer to the other module may have lacked, it is ours only while a document of ours is shown.
        """
        if not self._ksef_has_other_module():
            return SQL("FALSE")
        return SQL(
            """
            (COALESCE(m.l10n_pl_edi_status, '') IN ('sent', 'accepted')
             AND CASE WHEN m.l10n_pl_edi_ref IS NULL THEN m.ksef_document_id IS NULL
                      ELSE m.l10n_pl_edi_ref IS DISTINCT FROM m.ksef_reference_number AND NOT EXISTS (
                           SELECT 1 FROM ksef_document k WHERE k.move_id = m.id AND k.reference_number = m.l10n_pl_edi_ref) END)
            """)

    def _ksef_check_pickable(self):
        super()._ksef_check_pickable()
        self.flush_recordset()
        rows = self.env.execute_query(SQL(
            "SELECT m.id FROM account_move m WHERE m.id IN %s AND %s", tuple(self.ids), self._ksef_sent_elsewhere_sql()))
        if rows:
            sent = self.browse(row[0] for row in rows)
            raise UserError(self.env._(
                "An invoice can be sent to KSeF only once. Sent through Odoo's own KSeF module: %(invoices)s",
                invoices=", ".join(sent.mapped('display_name'))))

    def _ksef_mirrored_fields(self):
        mirrored = super()._ksef_mirrored_fields()
        if not self._ksef_has_other_module():
            return mirrored
        values = {
            'l10n_pl_edi_number': SQL("d.ksef_number"),
            'l10n_pl_edi_ref': SQL("d.reference_number"),
            'l10n_pl_edi_session_id': SQL("s.reference_number"),
            'l10n_pl_edi_status': SQL(
                "CASE WHEN d.state IN ('accepted', 'rejected') THEN d.state WHEN d.state IN %s THEN 'sent' END", LOCKING_STATES),
        }
        elsewhere = self._ksef_sent_elsewhere_sql()
        return mirrored | {
            name: SQL("CASE WHEN %s THEN m.%s ELSE %s END", elsewhere, SQL.identifier(name), value)
            for name, value in values.items()
        }

    def _ksef_restore_other_module(self, values):
        """Show again what the other module had, {status, ref, number, session_id}, before a number was imported."""
        if self._ksef_has_other_module():
            self.with_context(no_new_invoice=True).write({f'l10n_pl_edi_{name}': value for name, value in values.items()})
            self._ksef_sync()

    # ------------------------------------------------------------------ its buttons and its scheduled action

    def _ksef_is_ours(self):
        """Whether the other module's fields show a document of ours."""
        self.ensure_one()
        document = self.sudo().ksef_document_id
        return bool(document) and document.state in (*LOCKING_STATES, 'rejected')

    def action_l10n_pl_edi_update_invoice_status(self):
        """Its button and its scheduled action would ask KSeF about our reference number with its own credentials."""
        if self._ksef_is_ours():
            return False
        return super().action_l10n_pl_edi_update_invoice_status()

    def action_l10n_pl_edi_get_invoice_UPO(self):  # noqa: N802  (the name is l10n_pl_edi's)
        if self._ksef_is_ours():
            raise UserError(self.env._("The UPO of this invoice is on its page “KSeF”."))
        return super().action_l10n_pl_edi_get_invoice_UPO()

    @api.model
    def _get_view(self, view_id=None, view_type='form', **options):
        """Hide the other module where the invoice's company is connected here.

        A view of ours cannot do that: it would need the other module to be installed.
        """
        arch, view = super()._get_view(view_id, view_type, **options)
        if view_type == 'form' and self._ksef_has_other_module():
            for path in OTHER_NODES:
                for node in arch.xpath(path):
                    condition = node.get('invisible')
                    node.set('invisible', f"ksef_is_connected or ({condition})" if condition else 'ksef_is_connected')
        return arch, view
