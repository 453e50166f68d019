from datetime import UTC

from odoo import api, models
from odoo.tools import format_datetime

from ..ksef import coach
from .ksef_advice_texts_access import TEXTS as ACCESS
from .ksef_advice_texts_general import TEXTS as GENERAL
from .ksef_advice_texts_invoice import TEXTS as INVOICE
from .ksef_advice_texts_login import TEXTS as LOGIN

# Key of the advice (see ``ksef.coach``) -> (what happened, why or None, steps).
TEXTS = GENERAL | LOGIN | INVOICE | ACCESS


class KsefAdvice(models.AbstractModel):
    """The error coach: an answer of KSeF in the words of the person who reads it, with KSeF's own words beside it."""
    _inherit = 'ksef.advice'

    @api.model
    def _explain(self, where, error, environment=None):
        """What to do about an error or a status.

        :param where: ``ksef.coach.Where``, or its value
        :param error: a ``KsefError`` or a ``StatusInfo``
        :param environment: ``ksef.environment.Environment`` that links lead to
        :return: see :meth:`_word_advice`
        """
        return self._word_advice(coach.find_advice(coach.Where(where), error), environment)

    @api.model
    def _explain_stored(self, where, code, description='', details=(), environment=None):
        """The same for an answer of which only ``code`` (int or None), ``description`` and ``details`` were kept."""
        return self._word_advice(coach.find_stored_advice(coach.Where(where), code, description, details), environment)

    @api.model
    def _word_advice(self, advice, environment=None):
        """A ``ksef.coach.Advice`` in the reader's language.

        :return: dict of ``key``, ``what``, ``why`` (text or ''), ``who`` and ``action`` (values of the coach), ``who_text``,
            ``steps`` (list of texts), ``url`` (or False), ``until`` (naive datetime in UTC, or False), ``original`` (KSeF's own
            words, a line each) and ``is_self_service`` (S0-02: whether one can mend it alone)
        """
        what, why, steps = TEXTS[advice.key]
        steps = [self.env._(step) for step in steps]
        if advice.missing:
            label = self.env['ksef.connection']._permission_label
            steps.insert(0, self.env._("One of these rights is needed: %(names)s.", names=", ".join(map(label, advice.missing))))
        until = advice.until and advice.until.astimezone(UTC).replace(tzinfo=None)
        if until:
            zone = self.env.context.get('tz') or self.env.user.tz or 'Europe/Warsaw'
            steps.append(self.env._("Go on at %(time)s.", time=format_datetime(self.env, until, tz=zone, dt_format='HH:mm')))
        return {
            'key': advice.key,
            'what': self.env._(what),
            'why': self.env._(why) if why else '',
            'who': advice.who.value,
            'who_text': self._who_text(advice.who),
            'action': advice.action.value,
            'steps': steps,
            'url': (environment and coach.link_url(advice.link, environment)) or False,
            'until': until or False,
            'original': advice.original.lines,
            'is_self_service': advice.scope == coach.Scope.SELF,
        }

    @api.model
    def _advice_as_text(self, worded):
        """A worded advice as plain text of several lines, for the chatter and for columns."""
        lines = [" ".join(filter(None, [worded['what'], worded['why']])), worded['who_text']]
        lines += [f"{number}. {step}" for number, step in enumerate(worded['steps'], 1)]
        lines += [self.env._("KSeF: %(text)s", text="; ".join(worded['original']))] if worded['original'] else []
        return "\n".join(lines)

    @api.model
    def _who_text(self, who):
        return {
            coach.Who.NOBODY: self.env._("Nobody has to act."),
            coach.Who.YOU: self.env._("You can do this yourself."),
            coach.Who.ADMINISTRATOR: self.env._("Who looks after this server has to act."),
            coach.Who.GRANTOR: self.env._("Who gives rights in KSeF for your company has to act."),
            coach.Who.MINISTRY: self.env._("Only the Ministry of Finance can help."),
            coach.Who.US: self.env._("Who supports this program has to act."),
        }[who]
