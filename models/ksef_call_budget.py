"""KSeF's limits of calls, kept in advance: a call that KSeF would refuse is not made."""
import time

from ..ksef.errors import KsefRateLimitError
from ..ksef.limits import group_of, rates_of

# A wait as short as the shortest window is waited out; for a longer one the worker does something else.
SHORT_WAIT = 1.0
# What the system parameter count_calls means.
NEVER, OUTSIDE_SANDBOX, ALWAYS = range(3)


class CallBudget:
    """Counts the calls of one run of a worker before they are made, and holds them back where KSeF would refuse them.

    A call that must wait ends as :class:`KsefRateLimitError`, just as if KSeF had answered with 429, so that everything
    that obeys KSeF's own answer obeys this one.
    """

    def __init__(self, run):
        self._run = run
        with run.transaction() as env:
            connection = env['ksef.connection'].browse(run.connection_id)
            self._context = f"{connection.environment}:{connection.internal_id or connection.nip}"
            self._company_id = connection.company_id.id
            self._told = connection.call_rates
            wanted = run.settings['count_calls']
            self._is_off = wanted == NEVER or (wanted < ALWAYS and connection.environment == 'local')

    def seconds_until(self, operation):
        """Seconds until a call of this operation is allowed; 0: now."""
        found = None if self._is_off else group_of(operation)
        if not found:
            return 0.0
        group, counter = found
        with self._run.transaction() as env:
            return env['ksef.call']._seconds_until(self._context, counter, rates_of(group, self._told))

    def left_this_hour(self, operation):
        """Calls of this operation that are left in the hour that ends now; None: no limit is known or kept."""
        found = None if self._is_off else group_of(operation)
        limit = found and rates_of(found[0], self._told)[-1]
        if not limit:
            return None
        with self._run.transaction() as env:
            env.cr.execute(
                """SELECT count(*) FROM ksef_call WHERE context = %s AND counter = %s
                      AND made_at > (clock_timestamp() AT TIME ZONE 'UTC') - interval '1 hour'""", [self._context, found[1]])
            return max(0, limit - env.cr.fetchone()[0])

    def spend(self, operation):
        """Count a call of this operation, which is made next.

        :raise KsefRateLimitError: KSeF would refuse it now
        """
        found = None if self._is_off else group_of(operation)
        if not found:
            return
        group, counter = found
        rates = rates_of(group, self._told)
        for _attempt in range(3):
            with self._run.transaction() as env:
                wait = env['ksef.call']._seconds_until(self._context, counter, rates)
                if not wait:
                    env['ksef.call']._count(self._company_id, self._context, counter)
                    return
            if wait > SHORT_WAIT:
                break
            time.sleep(wait + 0.01)
        raise KsefRateLimitError(
            f"KSeF's limit of calls is reached ({counter}); the program waits by itself.", operation=operation.name, retry_after=wait)
