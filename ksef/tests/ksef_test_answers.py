"""Answers as KSeF gives them, by operation: the shapes of OpenAPI 2.9.0 with made-up values."""

import copy

SESSION = "20250626-SO-2F14610000-242991F8C9-B4"
INVOICE = "20250626-EE-2F20AD2000-242386DF86-52"
LOGIN = "20250626-AU-2F20AD2000-242386DF86-52"
KSEF_TOKEN = "20250625-EC-2FDC223000-C2BFC98A9C-4E"
UPO_PAGE = "20250626-EU-2F20AD2000-242386DF86-52"
KSEF_NUMBER = "5265877635-20250626-010080DD2B5E-26"
HASH = "UtQp9Gpc51y+u3xApZjIjgkpZ01js+J8KflSPW8WzIE="
MOMENT = "2025-07-11T12:23:56.0154302+00:00"
ACCESS = "eyJhbGciOiJIUzI1NiJ9.eyJhIjoiYWNjZXNzIn0.c2ln"
REFRESH = "eyJhbGciOiJIUzI1NiJ9.eyJhIjoicmVmcmVzaCJ9.c2ln"

ACCESS_INFO = {"token": ACCESS, "validUntil": MOMENT}
REFRESH_INFO = {"token": REFRESH, "validUntil": MOMENT}

CHALLENGE = {
    "challenge": "20250625-CR-2FDC223000-C2BFC98A9C-4E", "timestamp": MOMENT, "timestampMs": 1752236636015,
    "clientIp": "203.0.113.7"}
LOGIN_STARTED = {"referenceNumber": LOGIN, "authenticationToken": ACCESS_INFO}
LOGIN_STATUS = {
    "startDate": MOMENT, "authenticationMethod": "Token",
    "authenticationMethodInfo": {"category": "Token", "code": "token.ksef", "displayName": "Token KSeF"},
    "status": {"code": 200, "description": "Uwierzytelnianie zakończone sukcesem", "details": None},
    "isTokenRedeemed": False, "lastTokenRefreshDate": None, "refreshTokenValidUntil": MOMENT}
TOKENS = {"accessToken": ACCESS_INFO, "refreshToken": REFRESH_INFO}
REFRESHED = {"accessToken": ACCESS_INFO}
TOKEN_STATUS = {
    "referenceNumber": KSEF_TOKEN, "authorIdentifier": {"type": "Nip", "value": "5265877635"},
    "contextIdentifier": {"type": "Nip", "value": "5265877635"}, "description": "Odoo, księgowość",
    "requestedPermissions": ["InvoiceRead", "InvoiceWrite"], "dateCreated": MOMENT, "lastUseDate": None,
    "status": "Active", "statusDetails": None}
PERMISSIONS = {
    "hasMore": False, "ownerPermissions": ["CredentialsManage"],
    "permissions": [{
        "id": "0c9a3d4e-0000-0000-0000-000000000000", "contextIdentifier": {"type": "Nip", "value": "5265877635"},
        "permissionScope": "InvoiceWrite", "permissionState": "Active", "description": "Wystawianie",
        "startDate": MOMENT, "canDelegate": True}]}
OPENED = {"referenceNumber": SESSION, "validUntil": MOMENT}
OPENED_BATCH = {
    "referenceNumber": SESSION,
    "partUploadRequests": [{
        "ordinalNumber": 1, "method": "PUT", "url": "https://storage.ksef.mf.gov.pl/parts/1?sig=x",
        "headers": {"x-ms-blob-type": "BlockBlob"}}],
}
SENT = {"referenceNumber": INVOICE}
SESSION_STATUS = {
    "status": {"code": 200, "description": "Sesja interaktywna przetworzona pomyślnie"}, "dateCreated": MOMENT,
    "dateUpdated": MOMENT, "validUntil": None, "invoiceCount": 10, "successfulInvoiceCount": 8, "failedInvoiceCount": 2,
    "upo": {"pages": [{
        "referenceNumber": UPO_PAGE, "downloadUrl": "https://example/upo", "downloadUrlExpirationDate": MOMENT}]}}
INVOICE_STATUS = {
    "ordinalNumber": 1, "invoiceNumber": "FA/1/2025", "ksefNumber": KSEF_NUMBER, "referenceNumber": INVOICE,
    "invoiceHash": HASH, "invoiceFileName": None, "acquisitionDate": "2025-07-11T12:24:16.1+00:00",
    "invoicingDate": MOMENT, "permanentStorageDate": "2025-07-11T12:24:17+00:00",
    "upoDownloadUrl": "https://example/upo", "upoDownloadUrlExpirationDate": MOMENT, "invoicingMode": "Online",
    "status": {"code": 200, "description": "Sukces", "details": None, "extensions": None}}
DUPLICATE_STATUS = {
    "ordinalNumber": 2, "referenceNumber": INVOICE, "invoiceHash": HASH, "invoicingDate": MOMENT,
    "status": {
        "code": 440, "description": "Duplikat faktury", "details": ["Duplikat faktury."],
        "extensions": {"originalSessionReferenceNumber": SESSION, "originalKsefNumber": KSEF_NUMBER}}}
INVOICES = {"continuationToken": None, "invoices": [INVOICE_STATUS, DUPLICATE_STATUS]}
METADATA = {
    "ksefNumber": KSEF_NUMBER, "invoiceNumber": "FA/1/2025", "issueDate": "2025-07-11", "invoicingDate": MOMENT,
    "acquisitionDate": MOMENT, "permanentStorageDate": MOMENT, "seller": {"nip": "5265877635", "name": "Sprzedawca"},
    "buyer": {"identifier": {"type": "Nip", "value": "1111111111"}, "name": "Nabywca"}, "netAmount": 35260.63,
    "grossAmount": 43370.57, "vatAmount": 8109.94, "currency": "PLN", "invoicingMode": "Online", "invoiceType": "Vat",
    "formCode": {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"}, "isSelfInvoicing": False,
    "hasAttachment": False, "invoiceHash": HASH, "hashOfCorrectedInvoice": None}
METADATA_PAGE = {
    "hasMore": False, "isTruncated": False, "permanentStorageHwmDate": MOMENT, "invoices": [METADATA]}


def without(value, *path):
    """Return a copy of an answer without one field."""
    changed = inner = copy.deepcopy(value)
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return changed
