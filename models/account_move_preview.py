"""The preview: an invoice as KSeF will have it, made from its XML. Nothing is stored, queued or sent by looking."""

from contextlib import contextmanager
from typing import NamedTuple

from odoo import models
from odoo.exceptions import AccessError, UserError

from ..ksef.fa3.finding import ERROR
from ..ksef.fa3.model import Invoice
from .ksef_invoice_context import Entry, RenderContext
from .ksef_render_memo import remembering

# Stands for the number that a draft hasn't got yet: Polish, as the whole invoice is.
DRAFT_NUMBER = "(wersja robocza)"


class Look(NamedTuple):
    """What there is to see.

    * ``xml``: bytes, ``None`` when the invoice mustn't be sent as it is; * ``findings``: as of a rendered invoice;
    * ``is_frozen``: KSeF gets, or has got, just these bytes; * ``sketch``: what can be told of an invoice without bytes;
    * ``absence``: why nothing can be shown, ``'elsewhere'`` (another program sent the invoice, and its file isn't here) or
      ``'outside'`` (it was issued outside KSeF): bytes made here would be no more than a guess.
    """

    xml: bytes | None
    findings: list
    is_frozen: bool = False
    sketch: Invoice | None = None
    absence: str | None = None


class AccountMove(models.Model):
    _inherit = 'account.move'

    def action_ksef_preview(self):
        """Show the invoices as KSeF will show them ("KSeF preview"); drafts too."""
        self._ksef_check_reader()
        self.check_access('read')
        moves = self.filtered(lambda move: move._ksef_is_issued() and move.state != 'cancel')
        if not moves:
            raise UserError(self.env._("Only customer invoices and credit notes that aren't cancelled have a KSeF preview."))
        return self.env['ksef.preview']._open(moves)

    def _ksef_check_reader(self):
        if not self.env.su and not self.env.user.has_group('l10n_pl_ksef.group_ksef_read'):
            raise AccessError(self.env._("Only users with the right “KSeF: read” see what is sent to KSeF. Ask your administrator."))

    def _ksef_look(self, moment=None) -> Look:
        """Return what KSeF gets, or has got, of one invoice: the stored bytes once it is closed, else a fresh rendering.

        :param moment: when a fresh one was made (naive UTC), so that looking twice shows the same.
        """
        self.ensure_one()
        move = self.sudo()
        document = move.ksef_document_id
        if move.ksef_is_locked and document.xml_size:
            return Look(document._get_xml(), document.findings or [], is_frozen=True)
        if absence := move._ksef_absence():
            return Look(None, [], absence=absence)
        with move._ksef_as_if_confirmed():
            rendered = move._ksef_render(moment)
            return Look(rendered.xml, rendered.findings, sketch=None if rendered.xml else move._ksef_sketch(moment))

    def _ksef_absence(self) -> str | None:
        """Return why there are no bytes of this invoice and none may be made, see :class:`Look`."""
        document = self.ksef_document_id
        taken = self.ksef_is_locked and (document.origin or document.state == 'accepted')
        if taken or self.ksef_outside_number or self._ksef_number_elsewhere():
            return 'elsewhere'
        return 'outside' if self.ksef_is_outside else None

    @contextmanager
    def _ksef_as_if_confirmed(self):
        """Give a draft what it gets when it is confirmed, as far as it is missing: state, number, date of issue.

        In memory alone: no field is marked as changed, and what was put there is forgotten at the end.
        """
        if self.state != 'draft':
            yield
            return
        self.env.flush_all()
        today = self._ksef_today()
        values = {
            'state': 'posted',
            'name': self.name if self.name and self.name != '/' else DRAFT_NUMBER,
            'invoice_date': self.invoice_date or today,
        }
        for name, value in values.items():
            self._fields[name]._update_cache(self, value)
        try:
            yield
        finally:
            self.env.invalidate_all(flush=False)

    def _ksef_sketch(self, moment) -> Invoice | None:
        """Return an invoice that has errors, for looking only; ``None`` when it has no form in FA(3) at all."""
        with remembering():
            context, entry = RenderContext(self, moment), Entry(self)
            if any(issue.severity == ERROR for issue in self._ksef_find_refusals(context, entry)):
                return None
            return self._ksef_build(context, entry, False)[0]
