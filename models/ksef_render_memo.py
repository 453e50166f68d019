"""What rendering asks for again and again of one invoice: worked out once per batch."""

import gc
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


@contextmanager
def uncollected():
    """Leave cyclic garbage alone for the time of the block, whatever happens in it.

    Rendering makes many small objects and hardly a cycle; looking for cycles among all objects of Odoo took a tenth of its
    time. (Odoo's own ``disabling_gc`` doesn't switch it on again after an exception.)
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


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
