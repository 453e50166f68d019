import logging
from collections import defaultdict

import psycopg2
import psycopg2.errors
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef.client_collective import MOST_ASKED
from ..ksef.errors import ApiCode, KsefConnectError, KsefRateLimitError, KsefRefusedError, KsefUnauthorizedError
from ..ksef.types import CollectiveInvoice
from .ksef_worker_task import MOST_ATTEMPTS, POLL_SECONDS

_logger = logging.getLogger(__name__)

# After these the call was certainly not made.
NOT_CALLED = (KsefConnectError, KsefRateLimitError, KsefUnauthorizedError)


class KsefTask(models.Model):
    """Getting a collective identifier: ``parameters['collective']`` is the id of its ``ksef.collective``."""
    _inherit = 'ksef.task'

    kind = fields.Selection(
        selection_add=[('collective', "Get a collective identifier")], ondelete={'collective': 'cascade'})

    def _collective(self):
        return self.env['ksef.collective'].browse(self.parameters['collective']).exists()

    def _collective_made(self, number):
        """KSeF has given the number; showing it on the payments is a transaction of its own."""
        self._collective()._set_made(number)
        self._set_waiting()

    def _collective_shown(self):
        collective = self._collective()
        if collective.state == 'done':
            collective.payment_ids._ksef_take_identifier()
        self._set_done(collective.number)

    def _set_failed(self, message):
        super()._set_failed(message)
        if self.kind == 'collective':
            collective = self._collective()
            if collective.state == 'waiting':
                collective._set_failed(message)

    def action_retry(self):
        """A collective identifier is asked for again as a whole."""
        collectives = self.sudo().filtered(lambda task: task.kind == 'collective')
        if collectives:
            self.env['ksef.connection']._check_manager()
            self.check_access('read')
            for task in collectives:
                collective = task._collective()
                if collective.state == 'done' and task.state == 'failed':
                    # KSeF has given it; what went wrong was showing it on the payments.
                    collective._start()
                else:
                    collective.sudo(False).action_ask_again()
        return super(KsefTask, self - collectives.sudo(False)).action_retry()


class KsefWorker(models.AbstractModel):
    """Collective identifiers. KSeF makes another one with each call, so each is looked for by its invoices first: what an
    unanswered call, a crash or a restored database left behind is taken instead of being made again.
    """
    _inherit = 'ksef.worker'

    @api.model
    def _task_collective(self, work):
        """Find or make the identifier, keep it, then show it on the payments."""
        with work.run.transaction() as env:
            collective = env['ksef.collective'].browse(work.parameters['collective']).exists()
            number, numbers, is_wanted = collective.number, collective.ksef_numbers, collective.state == 'waiting'
        if not number:
            if not is_wanted:
                work.apply(lambda task: task._set_failed(task.env._("Given up by a person.")))
                return
            number = self._find_collective(work, numbers) or self._make_collective(work, numbers)
            if not number:
                return
        if is_wanted:
            work.apply(lambda task: task._collective_made(number))
        self._show_collective(work)

    @api.model
    def _find_collective(self, work, numbers):
        """Number of an identifier that this company has for exactly these invoices and whole amounts, or None."""
        client, access, wanted = work.run.client, work.run.access_token, set(numbers)
        # Of the invoices the one that came last to KSeF has the fewest: the day stands in the number after the NIP.
        newest = max(numbers, key=lambda number: number[11:19])
        own = [item.number for item in client.collectives_of(access, newest) if item.is_own]
        for start in range(0, len(own), MOST_ASKED):
            found = defaultdict(list)
            for invoice in client.collective_invoices(access, own[start:start + MOST_ASKED]):
                found[invoice.collective_number].append(invoice)
            for number, invoices in found.items():
                is_plain = all(item.amount is None and not item.description and not item.is_hidden for item in invoices)
                if is_plain and {item.ksef_number for item in invoices} == wanted:
                    return number
        return None

    @api.model
    def _make_collective(self, work, numbers):
        """Ask KSeF for a new identifier; None while an unanswered call may still show its effect, or when it is given up."""
        if work.is_in_grace:
            work.apply(lambda task: task._postpone(POLL_SECONDS * 5))
            return None
        if work.state == 'calling' and work.attempts >= MOST_ATTEMPTS:
            work.apply(lambda task: task._set_failed(task.env._(
                "KSeF did not answer %(count)s times, and it has no collective identifier for these invoices. Try again later.",
                count=work.attempts)))
            return None
        work.apply(lambda task: task._set_calling())
        try:
            return work.run.client.generate_collective(work.run.access_token, [CollectiveInvoice(number) for number in numbers])
        except NOT_CALLED:
            work.apply(lambda task: task.write({'state': 'asked', 'attempts': work.attempts}))
            raise
        except KsefRefusedError as error:
            if ApiCode.INPUT_INVALID not in error.codes or not self._is_above_limit(work, len(numbers)):
                raise
            return None

    @api.model
    def _is_above_limit(self, work, count):
        """Whether KSeF takes fewer invoices at once than these; then that is the answer to the person."""
        self._ask_limits(work.run)
        with work.run.transaction() as env:
            most = env['ksef.connection'].browse(work.run.connection_id).collective_most
        if not most or count <= most:
            return False
        work.apply(lambda task: task._set_failed(task.env._(
            "KSeF takes at most %(most)s invoices in one collective identifier; these are %(count)s. Select fewer bills.",
            most=most, count=count)))
        return True

    @api.model
    def _show_collective(self, work):
        """Write the number into the memos of the payments that wait for it."""
        def show(env):
            # A person's request may hold a payment for long; the other work doesn't wait for it.
            env.cr.execute("SET LOCAL lock_timeout = '300ms'")
            env['ksef.task'].browse(work.id)._collective_shown()

        try:
            work.run.commit(show, retried=(psycopg2.errors.SerializationFailure,))
        except psycopg2.OperationalError as error:
            _logger.info("KSeF task %s: a payment is busy, its memo is written later: %s", work.id, error)
            work.apply(lambda task: task._postpone(10))
        except Exception as error:  # pylint: disable=broad-exception-caught
            # What other modules do with payments must not be tried for ever: the number is kept and shown on its page.
            _logger.exception("KSeF task %s: the payments cannot be written", work.id)
            message = str(error) if isinstance(error, UserError) else None
            work.apply(lambda task: task._set_failed(message or task.env._("Stopped by a fault of the program; see the server's log")))
