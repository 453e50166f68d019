"""KSeF's limits of calls: which group an operation is counted in, and how many calls a group may have.

KSeF counts in three sliding windows at once (a second, a minute, an hour), for each context and address. What stands here
are its published values; GET /rate-limits tells those of a context. Source: OpenAPI 2.9.0, x-rate-limits.
"""

from . import api

WINDOWS = (1, 60, 3600)  # seconds
OTHER = "other"
# Calls per second, minute and hour.
RATES = {
    "onlineSession": (10, 30, 120),
    "onlineSessionClose": (20, 60, 240),
    "invoiceSend": (10, 30, 180),
    "batchSession": (10, 20, 60),
    "batchSessionClose": (20, 40, 120),
    "invoiceStatus": (30, 120, 1200),
    "sessionList": (5, 10, 60),
    "sessionInvoiceList": (10, 20, 200),
    "sessionMisc": (10, 120, 1200),
    "collectiveIdentifier": (20, 120, 240),
    OTHER: (10, 30, 120),
}
_GROUPS = {
    api.OPEN_ONLINE: "onlineSession",
    api.CLOSE_ONLINE: "onlineSessionClose",
    api.SEND_INVOICE: "invoiceSend",
    api.OPEN_BATCH: "batchSession",
    api.CLOSE_BATCH: "batchSessionClose",
    api.INVOICE: "invoiceStatus",
    api.SESSION_INVOICES: "sessionInvoiceList",
    api.FAILED_INVOICES: "sessionInvoiceList",
    api.SESSION: "sessionMisc",
    api.UPO_BY_REFERENCE: "sessionMisc",
    api.UPO_BY_NUMBER: "sessionMisc",
    api.SESSION_UPO: "sessionMisc",
    api.GENERATE_COLLECTIVE: "collectiveIdentifier",
    api.COLLECTIVES: "collectiveIdentifier",
    api.COLLECTIVE_INVOICES: "collectiveIdentifier",
    api.COLLECTIVES_OF: "collectiveIdentifier",
}
# Counted elsewhere (lists, packages and single received invoices), or not told how: the statuses of exports have plenty.
_APART = {api.QUERY_METADATA, api.START_EXPORT, api.EXPORT_STATUS, api.INVOICE_BY_NUMBER}


def group_of(operation):
    """Return (group, counter) of an operation, or None when it isn't counted here; an "other" one has its own counter."""
    if operation in _APART or operation.bearer is not api.Bearer.ACCESS:
        return None
    group = _GROUPS.get(operation)
    return (group, group) if group else (OTHER, operation.name)


def rates_of(group, told=None):
    """Return (per second, per minute, per hour) of a group; None means no limit.

    :param told: what KSeF said of this context: {group: [per second, per minute, per hour]}
    """
    values = (told or {}).get(group)
    if not isinstance(values, list | tuple) or len(values) != len(WINDOWS):
        values = RATES[group]
    return tuple(value if isinstance(value, int) and value > 0 else None for value in values)
