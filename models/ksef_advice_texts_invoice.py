"""Texts of the error coach: sessions, sending, the statuses of invoices, receiving, collective identifiers.

Key of the advice (see ksef/coach.py): what happened, why, steps.
"""

from odoo.tools.translate import LazyTranslate

from .ksef_advice_steps import (
    ASK_ADMINISTRATOR,
    BY_ITSELF,
    CHECK_INTERNET,
    CHECK_STATUS,
    CORRECT_INVOICE,
    FETCH_KEYS,
    GET_STATUS,
    GIVE_READ,
    GIVE_WRITE,
    NEW_SESSION,
    NOTHING_LOST,
    RECONNECT,
    RIGHT_COMPANY,
    SAME_ENVIRONMENT,
    START_ANEW,
    SUPPORT,
    TRY_AGAIN,
    UPDATE_PROGRAM,
)

_lt = LazyTranslate(__name__)

TEXTS = {
    'session_not_found': (
        _lt("KSeF does not know this session."),
        _lt("It belongs to another environment or another company, or KSeF has removed it."),
        (NEW_SESSION, RECONNECT),
    ),
    'session_status': (
        _lt("The session is closed or over."),
        _lt("An interactive session lives for twelve hours."),
        (NEW_SESSION,),
    ),
    'session_full': (
        _lt("The session has as many invoices as KSeF allows."),
        None,
        (NEW_SESSION,),
    ),
    'session_unavailable': (
        _lt("The session is not available for a while."),
        _lt("KSeF is being maintained."),
        (NOTHING_LOST, CHECK_STATUS),
    ),
    'session_key': (
        _lt("KSeF could not decrypt the key of the session."),
        _lt("It was encrypted with a public key that KSeF has replaced."),
        (NEW_SESSION, FETCH_KEYS),
    ),
    'session_no_valid': (
        _lt("KSeF accepted none of the invoices of this session."),
        _lt("What is wrong stands on each invoice."),
        (CORRECT_INVOICE,),
    ),
    'session_empty': (
        _lt("KSeF cancelled the session, because nothing was sent in it."),
        None,
        (NEW_SESSION,),
    ),
    'session_late': (
        _lt("KSeF cancelled the session, because the upload took too long."),
        None,
        (NEW_SESSION, CHECK_INTERNET),
    ),
    'session_limit': (
        _lt("The batch holds more invoices than KSeF allows."),
        None,
        (NEW_SESSION, SUPPORT),
    ),
    'batch_damaged': (
        _lt("KSeF could not take the batch apart."),
        _lt("A part is missing, was damaged on the way, or cannot be decrypted. No invoice of it was taken."),
        (NEW_SESSION, SUPPORT),
    ),
    'batch_parts': (
        _lt("The parts of the batch are larger, or more, than KSeF allows."),
        None,
        (UPDATE_PROGRAM, SUPPORT),
    ),
    'file_differs': (
        _lt("Size or hash of the file are not what the program told KSeF."),
        _lt("The document itself is not at fault. It was certainly not taken."),
        (TRY_AGAIN, SUPPORT),
    ),
    'correction_exists': (
        _lt("There is a technical correction of this invoice in KSeF already."),
        _lt("KSeF takes one for each invoice that it refused."),
        (GET_STATUS,),
    ),
    'correction_not_allowed': (
        _lt("This invoice cannot be corrected technically."),
        _lt("KSeF accepted it; what is wrong in it is corrected with a credit note."),
        (GET_STATUS,),
    ),
    'invoice_session_error': (
        _lt("The invoice was not processed, because its session failed."),
        _lt("The invoice itself is not at fault."),
        (NEW_SESSION,),
    ),
    'invoice_permissions': (
        _lt("The seller on the invoice is not the company that the program may act for."),
        _lt("The NIP of the seller is not that of the connection, or the right to issue in that name (self-billing, for one) is missing."),
        (RIGHT_COMPANY, GIVE_WRITE, CORRECT_INVOICE),
    ),
    'invoice_attachment': (
        _lt("KSeF does not take this invoice with its attachment."),
        _lt(
            "Attachments go only in a batch, and only after the company announced them in e-Urząd Skarbowy. This has nothing to do with "
            "logging in."),
        (ASK_ADMINISTRATOR, CORRECT_INVOICE),
    ),
    'invoice_file': (
        _lt("The file of the invoice did not arrive as it was sent."),
        _lt("Size or hash differ after decryption, or the file is too large."),
        (NEW_SESSION, SUPPORT),
    ),
    'invoice_encryption': (
        _lt("KSeF could not decrypt the invoice."),
        _lt("The invoice itself is not at fault."),
        (NEW_SESSION, FETCH_KEYS),
    ),
    'invoice_duplicate': (
        _lt("KSeF has an invoice of this seller with this number already."),
        _lt(
            "It was sent before, from here or with another program on the same NIP: KSeF takes each number of a kind only once. Its KSeF "
            "number stands in the answer. Where several programs issue invoices, each needs a series of its own."),
        (GET_STATUS, CORRECT_INVOICE),
    ),
    'invoice_invalid': (
        _lt("The content of the invoice breaks a rule of KSeF."),
        _lt("KSeF's text says which element is wrong."),
        (CORRECT_INVOICE, UPDATE_PROGRAM, SUPPORT),
    ),
    'invoice_future': (
        _lt("The issue date of the invoice lies in the future."),
        _lt("KSeF takes an invoice on its issue date at the earliest."),
        (CORRECT_INVOICE,),
    ),
    'invoice_bad_nip': (
        _lt("A NIP on the invoice is wrong."),
        _lt("Its check digit does not fit; KSeF's text names the number."),
        (CORRECT_INVOICE,),
    ),
    'invoice_not_found': (
        _lt("KSeF has no such invoice, or does not show it to this company."),
        _lt("The number is wrong, it belongs to another environment, or the right to see it is missing."),
        (SAME_ENVIRONMENT, GIVE_READ),
    ),
    'invoice_not_yet': (
        _lt("KSeF has accepted the invoice, but does not hand it out yet."),
        None,
        (BY_ITSELF,),
    ),
    'upo_not_found': (
        _lt("KSeF has not made the UPO yet."),
        _lt("The official receipt follows a moment after the KSeF number."),
        (BY_ITSELF,),
    ),
    'export_not_found': (
        _lt("KSeF does not know this package of invoices any more."),
        None,
        (BY_ITSELF,),
    ),
    'export_refused': (
        _lt("Invoices of this kind cannot be fetched for this company."),
        _lt("The role that was asked for (seller, buyer, other party) does not fit the identifier of the login."),
        (RIGHT_COMPANY, SUPPORT),
    ),
    'exports_many': (
        _lt("KSeF prepares as many packages at a time as it allows."),
        _lt("Another program may be fetching invoices too."),
        (BY_ITSELF,),
    ),
    'export_expired': (
        _lt("The package of invoices was not fetched in time."),
        _lt("KSeF keeps it for some days only; nothing is lost."),
        (BY_ITSELF,),
    ),
    'range_beyond': (
        _lt("KSeF has not stored invoices up to the moment that was asked for."),
        None,
        (BY_ITSELF,),
    ),
    'collective_not_found': (
        _lt("An invoice for the collective identifier is not in KSeF."),
        None,
        (SAME_ENVIRONMENT, RIGHT_COMPANY),
    ),
    'collective_limit': (
        _lt("An invoice has as many collective identifiers as KSeF allows."),
        None,
        (ASK_ADMINISTRATOR,),
    ),
    'collective_sellers': (
        _lt("A collective identifier takes invoices of one seller only."),
        None,
        (START_ANEW,),
    ),
    'collective_repeated': (
        _lt("An invoice was named twice for the collective identifier."),
        None,
        (START_ANEW,),
    ),
}
