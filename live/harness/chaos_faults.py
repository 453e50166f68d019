"""What KSeF and the network do to calls while everything goes wrong: (operation, action, probability, parameters)."""

from .sandbox import (
    CHALLENGE,
    CLOSE_BATCH,
    EXPORT,
    EXPORT_STATUS,
    LIST,
    LOGIN,
    METADATA,
    OPEN,
    OPEN_BATCH,
    REDEEM,
    SEND,
    SESSION,
    STATUS,
    UPO,
)

FAULTS = [
    (SEND, "drop_after", 0.10, {}),
    (SEND, "drop_before", 0.05, {}),
    (SEND, "http_error", 0.06, {"status": 502, "body": "html"}),
    (SEND, "http_error", 0.06, {"status": 502, "body": "html", "process": True}),
    (SEND, "garble", 0.06, {}),
    (SEND, "truncate", 0.04, {}),
    (SEND, "http_error", 0.06, {"status": 429, "body": "problem", "retryAfter": 1}),
    (SEND, "http_error", 0.03, {"status": 401, "body": "problem"}),
    (SEND, "invoice_status", 0.04, {"code": 550}),
    (OPEN, "drop_after", 0.10, {}),
    (OPEN, "http_error", 0.05, {"status": 503, "body": "html"}),
    (STATUS, "http_error", 0.08, {"status": 500, "body": "html"}),
    (STATUS, "garble", 0.04, {}),
    (LIST, "http_error", 0.10, {"status": 500, "body": "html"}),
    (LIST, "truncate", 0.05, {}),
    (UPO, "drop_after", 0.10, {}),
]
# What is done to batches; a session that fails as a whole is KSeF's doing, too.
BATCH_FAULTS = [
    *((operation, *fault) for operation in (OPEN_BATCH, CLOSE_BATCH, SESSION) for fault in (
        ("drop_after", 0.10, {}), ("drop_before", 0.05, {}), ("garble", 0.05, {}),
        ("http_error", 0.05, {"status": 502, "body": "html", "process": True}))),
    (OPEN_BATCH, "http_error", 0.05, {"status": 429, "body": "problem", "retryAfter": 1}),
    (OPEN_BATCH, "expired_links", 0.08, {}),
    (OPEN_BATCH, "invoice_status", 0.10, {"code": 550}),
    (CLOSE_BATCH, "session_status", 0.08, {"code": 430}),
]
# What is done to fetching.
FETCH_FAULTS = [
    *((operation, *fault) for operation in (METADATA, EXPORT, EXPORT_STATUS) for fault in (
        ("drop_after", 0.06, {}), ("garble", 0.04, {}), ("http_error", 0.05, {"status": 502, "body": "html"}))),
    (EXPORT_STATUS, "expired_links", 0.05, {}),
    (EXPORT, "wrong_export_hash", 0.05, {}),
    (EXPORT, "export_status", 0.05, {"code": 550}),
]
SOME = FAULTS + BATCH_FAULTS + FETCH_FAULTS
# Every switch of the sandbox that sending or fetching can meet; token_status and operation_status are about other things.
ALL = [
    *SOME,
    ("*", "delay", 0.02, {"seconds": 0.4}),
    ("*", "drop_before", 0.005, {"reset": True}),
    ("*", "drop_after", 0.005, {"reset": True}),
    ("*", "hang_after", 0.002, {"seconds": 5.0}),  # longer than a worker waits
    ("*", "garble", 0.005, {}),
    ("*", "truncate", 0.003, {"bytes": 0}),
    ("*", "slow_drip", 0.005, {"bytesPerSecond": 400.0}),
    ("*", "http_error", 0.003, {"status": 500, "body": "exception"}),
    ("*", "http_error", 0.003, {"status": 503, "body": "empty", "retryAfter": 1}),
    ("*", "http_error", 0.003, {"status": 429, "body": "problem", "retryAfter": 1}),
    ("*", "http_error", 0.003, {"status": 401, "body": "problem"}),
    (SEND, "http_error", 0.01, {"status": 400, "code": 21184, "body": "problem"}),
    (SEND, "http_error", 0.005, {"status": 400, "code": 21155, "body": "problem"}),
    (SEND, "http_error", 0.004, {"status": 400, "code": 21405, "body": "problem"}),
    (SEND, "http_error", 0.003, {"status": 403, "body": "problem"}),
    (SEND, "hang_after", 0.01, {"seconds": 5.0}),
    (SEND, "stuck", 0.01, {"seconds": 3.0}),
    (SEND, "invoice_status", 0.01, {"code": 405}),
    (SEND, "invoice_status", 0.01, {"code": 430}),
    (SEND, "invoice_status", 0.01, {"code": 450, "details": ["made by the sandbox"]}),
    (OPEN_BATCH, "stuck", 0.05, {"seconds": 3.0}),
    (OPEN_BATCH, "invoice_status", 0.03, {"code": 410}),
    (OPEN_BATCH, "http_error", 0.02, {"status": 400, "code": 21405, "body": "problem"}),
    (CLOSE_BATCH, "session_status", 0.03, {"code": 415}),
    (OPEN, "rotate_keys", 0.05, {}),
    (OPEN_BATCH, "rotate_keys", 0.05, {"mode": "emergency"}),
    (EXPORT, "rotate_keys", 0.05, {"mode": "planned"}),
    (CHALLENGE, "rotate_keys", 0.2, {"mode": "emergency"}),
    (LOGIN, "login_status", 0.1, {"code": 450, "details": ["Nieprawidłowy czas tokena"]}),
    (REDEEM, "drop_after", 0.2, {}),
    (STATUS, "expired_links", 0.03, {}),
    (LIST, "expired_links", 0.05, {}),
]
NAMED = {"none": [], "some": SOME, "all": ALL}
