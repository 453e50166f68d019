"""What rendering asks for again and again of one invoice: worked out once per batch."""

from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps

_known: ContextVar[dict | None] = ContextVar('ksef_render_memo', default=None)


@contextmanager
def remembering():
    """Remember, for the time of the block, what methods marked with :func:`once` have returned.

    Only around code that reads: nothing is forgotten when a record changes.
    """
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def once(method):
    """Have a method of one record, whose arguments are hashable, answer once in a block of :func:`remembering`.

    Outside such a block, and for records that aren't saved, the method is called as ever.
    """
    name = method.__qualname__

    @wraps(method)
    def remembered(self, *args):
        known = _known.get()
        if known is None:
            return method(self, *args)
        key = name, self._ids, args
        if key not in known:
            known[key] = method(self, *args)
        return known[key]

    return remembered
