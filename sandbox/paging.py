"""Pages of lists: continuation tokens (opaque, bound to their list) and page numbers."""

import base64
import binascii
import json

from .errors import ApiError


class Pager:
    """Reads ``x-continuation-token`` and ``pageSize``. ``scope`` names the list; a token of another list is refused."""

    def __init__(self, request, scope, default):
        self.size = request.values.get("pageSize", default)
        self._scope = f"{scope}:{request.path}:{request.principal.context}"
        self.start = self._read(request.header("x-continuation-token"))

    def _read(self, token):
        if not token:
            return 0
        try:
            scope, start = json.loads(base64.b64decode(token, validate=True))
            if scope != self._scope or type(start) is not int or not 0 <= start < 1 << 60:
                raise ValueError
        except (binascii.Error, ValueError, TypeError, RecursionError) as error:
            raise ApiError(21418) from error
        return start

    def token(self, position):
        """The token that continues at a position (an offset or an ordinal number)."""
        return base64.b64encode(json.dumps([self._scope, position]).encode()).decode()

    def slice(self, rows):
        """(rows of this page, token of the next one or None) out of a full list."""
        page = rows[self.start:self.start + self.size]
        end = self.start + len(page)
        return page, self.token(end) if end < len(rows) and page else None


def numbered(request, rows, default=10):
    """(rows of the page asked for by pageOffset and pageSize, hasMore)."""
    size = request.values.get("pageSize", default)
    start = request.values.get("pageOffset", 0) * size
    return rows[start:start + size], len(rows) > start + size
