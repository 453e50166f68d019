"""From :class:`~.reading.Fields` of an answer to the dataclasses of :mod:`.types`; one function for each schema."""

import base64
import binascii
import re

from .crypto import public_key_id
from .number import is_reference
from .types import (
    AuthOperation,
    AuthReport,
    Challenge,
    Context,
    InvoiceMetadata,
    InvoiceReport,
    MetadataPage,
    OpenedSession,
    PublicKey,
    Secret,
    SessionReport,
    StatusInfo,
    Token,
    TokenPair,
    UpoPage,
)

_JWT = re.compile(r"[\x21-\x7e]{1,16384}", re.ASCII)
_LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999


def reference(fields, name="referenceNumber"):
    """Read a reference number; one that can't stand in a path is refused here, before it is stored."""
    value = fields.need("text", name)
    if not is_reference(value):
        raise fields.fault(name, "is not a reference number")
    return value


def token(fields):
    """Read a TokenInfo."""
    value = fields.need("text", "token")
    if not _JWT.fullmatch(value):
        raise fields.fault("token", "is not a token")
    return Token(Secret(value), fields.need("timestamp", "validUntil"))


def challenge(fields):
    """Read an AuthenticationChallengeResponse. Old ones have no ``timestampMs``: then it follows from the time."""
    milliseconds = fields.integer("timestampMs")
    if milliseconds is None:
        moment = fields.need("timestamp", "timestamp")
        milliseconds = int(moment.timestamp()) * 1000 + moment.microsecond // 1000
    if not 0 <= milliseconds <= _LAST_MILLISECOND:
        raise fields.fault("timestampMs", "is no time")
    return Challenge(fields.need("text", "challenge"), milliseconds, fields.text("clientIp"))


def auth_operation(fields):
    """Read an AuthenticationInitResponse."""
    return AuthOperation(reference(fields), token(fields.child("authenticationToken")))


def token_pair(fields):
    """Read an AuthenticationTokensResponse."""
    return TokenPair(access=token(fields.child("accessToken")), refresh=token(fields.child("refreshToken")))


def status(fields):
    """Read a StatusInfo or InvoiceStatusInfo."""
    extensions = fields.child("extensions")
    texts = {name: extensions.text(name) for name in extensions.raw}
    return StatusInfo(
        code=fields.need("integer", "code"),
        description=fields.text("description") or "",
        details=fields.texts("details"),
        extensions={name: text for name, text in texts.items() if text},
    )


def auth_report(fields):
    """Read an AuthenticationOperationStatusResponse."""
    method = fields.child("authenticationMethodInfo")
    return AuthReport(
        status=status(fields.child("status")),
        started_at=fields.timestamp("startDate"),
        method_category=method.text("category") or fields.text("authenticationMethod") or "",
        method_name=method.text("displayName") or "",
        is_redeemed=fields.flag("isTokenRedeemed"),
        refresh_valid_until=fields.timestamp("refreshTokenValidUntil"),
    )


def public_key(fields):
    """Read a PublicKeyCertificate. Answers before API 2.5 have no ``publicKeyId``: then it follows from the key."""
    try:
        certificate = base64.b64decode(fields.need("text", "certificate"), validate=True)
        key_id = fields.text("publicKeyId") or public_key_id(certificate)
    except (binascii.Error, ValueError):
        raise fields.fault("certificate", "is not a certificate") from None
    return PublicKey(
        certificate_der=certificate,
        public_key_id=key_id,
        valid_from=fields.need("timestamp", "validFrom"),
        valid_to=fields.need("timestamp", "validTo"),
        usages=frozenset(fields.texts("usage")),
    )


def context(fields):
    """Read an identifier of type and value, or None when it is not complete."""
    kind, value = fields.text("type"), fields.text("value")
    return Context(value=value, type=kind) if kind and value else None


def opened_session(fields):
    """Read an OpenOnlineSessionResponse."""
    return OpenedSession(reference(fields), fields.need("timestamp", "validUntil"))


def session_report(fields):
    """Read a SessionStatusResponse."""
    pages = fields.child("upo").children("pages")
    return SessionReport(
        status=status(fields.child("status")),
        valid_until=fields.timestamp("validUntil"),
        upo_pages=tuple(
            UpoPage(reference(page), page.text("downloadUrl"), page.timestamp("downloadUrlExpirationDate"))
            for page in pages
        ),
        invoice_count=fields.integer("invoiceCount"),
        successful=fields.integer("successfulInvoiceCount"),
        failed=fields.integer("failedInvoiceCount"),
        created_at=fields.timestamp("dateCreated"),
        updated_at=fields.timestamp("dateUpdated"),
    )


def invoice_report(fields):
    """Read a SessionInvoiceStatusResponse."""
    return InvoiceReport(
        reference_number=reference(fields),
        invoice_hash=fields.need("text", "invoiceHash"),
        status=status(fields.child("status")),
        invoice_number=fields.text("invoiceNumber"),
        ksef_number=fields.text("ksefNumber") or None,
        invoicing_date=fields.timestamp("invoicingDate"),
        acquisition_date=fields.timestamp("acquisitionDate"),
        permanent_storage_date=fields.timestamp("permanentStorageDate"),
        upo_url=fields.text("upoDownloadUrl"),
        upo_url_expires_at=fields.timestamp("upoDownloadUrlExpirationDate"),
        invoicing_mode=fields.text("invoicingMode"),
        ordinal_number=fields.integer("ordinalNumber"),
        file_name=fields.text("invoiceFileName"),
    )


def invoice_metadata(fields):
    """Read an InvoiceMetadata."""
    seller, buyer = fields.child("seller"), fields.child("buyer")
    identifier = buyer.child("identifier")
    return InvoiceMetadata(
        ksef_number=fields.need("text", "ksefNumber"),
        invoice_hash=fields.need("text", "invoiceHash"),
        invoice_number=fields.text("invoiceNumber"),
        issue_date=fields.date("issueDate"),
        invoicing_date=fields.timestamp("invoicingDate"),
        acquisition_date=fields.timestamp("acquisitionDate"),
        permanent_storage_date=fields.timestamp("permanentStorageDate"),
        seller_nip=seller.text("nip"),
        seller_name=seller.text("name"),
        buyer_identifier_type=identifier.text("type"),
        buyer_identifier=identifier.text("value"),
        buyer_name=buyer.text("name"),
        net_amount=fields.decimal("netAmount"),
        vat_amount=fields.decimal("vatAmount"),
        gross_amount=fields.decimal("grossAmount"),
        currency=fields.text("currency"),
        invoicing_mode=fields.text("invoicingMode"),
        invoice_type=fields.text("invoiceType"),
        hash_of_corrected=fields.text("hashOfCorrectedInvoice"),
        raw=fields.raw,
    )


def metadata_page(fields):
    """Read a QueryInvoicesMetadataResponse. A missing list or flag would hide invoices: it makes it unreadable."""
    return MetadataPage(
        invoices=tuple(invoice_metadata(item) for item in fields.need_children("invoices")),
        has_more=fields.need("flag", "hasMore"),
        is_truncated=fields.need("flag", "isTruncated"),
        hwm_date=fields.timestamp("permanentStorageHwmDate"),
    )
