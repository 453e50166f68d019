"""Texts of the error coach: certificates, tokens and rights of the program and of others.

Key of the advice (see ksef/coach.py): what happened, why, steps.
"""

from odoo.tools.translate import LazyTranslate

from .ksef_advice_steps import (
    ASK_ADMINISTRATOR,
    CHECK_IDENTIFIER,
    GIVE_MANAGE,
    GIVE_READ,
    GIVE_WRITE,
    LOG_IN_WITH_CERTIFICATE,
    MINISTRY_FORM,
    REVOKE_OLD_CERTIFICATES,
    RIGHT_COMPANY,
    SAME_ENVIRONMENT,
    START_ANEW,
    SUPPORT,
    TRY_AGAIN,
    UPDATE_PROGRAM,
    UPLOAD_CERTIFICATE,
    USE_CERTIFICATE,
    WAIT_FOR_RIGHTS,
)

_lt = LazyTranslate(__name__)

TEXTS = {
    'certificate_login_needed': (
        _lt("Certificates can be asked for only after a login with a certificate or a signature."),
        _lt("A login with a token, or with a certificate that names nobody, does not do."),
        (LOG_IN_WITH_CERTIFICATE, UPLOAD_CERTIFICATE),
    ),
    'csr_mismatch': (
        _lt("The request for the certificate does not name whom the program is logged in as."),
        _lt("The login has changed in between."),
        (TRY_AGAIN, SUPPORT),
    ),
    'csr_refused': (
        _lt("KSeF does not accept the request for the certificate that this program made."),
        None,
        (UPDATE_PROGRAM, UPLOAD_CERTIFICATE, SUPPORT),
    ),
    'enrollment_not_found': (
        _lt("KSeF does not know this request for a certificate."),
        None,
        (START_ANEW,),
    ),
    'enrollment_limit': (
        _lt("All requests for certificates that KSeF allows are used up."),
        _lt("KSeF counts the requests of each person and company."),
        (UPLOAD_CERTIFICATE, MINISTRY_FORM),
    ),
    'certificate_limit': (
        _lt("There are as many active certificates as KSeF allows."),
        _lt("A company (NIP) may have 100, a person (PESEL) 6."),
        (REVOKE_OLD_CERTIFICATES, UPLOAD_CERTIFICATE),
    ),
    'enrollment_foreign_key': (
        _lt("The key of the request was certified for somebody else already."),
        None,
        (START_ANEW,),
    ),
    'enrollment_rejected': (
        _lt("KSeF rejected the request for the certificate."),
        _lt("The reason stands in KSeF's text."),
        (TRY_AGAIN, UPLOAD_CERTIFICATE),
    ),
    'certificate_not_found': (
        _lt("KSeF does not know this certificate."),
        _lt("It belongs to somebody else or to another environment."),
        (SAME_ENVIRONMENT,),
    ),
    'certificate_not_revocable': (
        _lt("The certificate is revoked, blocked or expired already."),
        None,
        (),
    ),
    'token_exceeds': (
        _lt("A token cannot have rights that one does not have oneself."),
        _lt("Which are missing stands in KSeF's text."),
        (GIVE_WRITE, GIVE_READ, WAIT_FOR_RIGHTS),
    ),
    'token_context': (
        _lt("Tokens can be made only for a NIP or an internal identifier."),
        None,
        (RIGHT_COMPANY, USE_CERTIFICATE),
    ),
    'permission_failed': (
        _lt("KSeF did not carry out the change of rights."),
        _lt("The reason stands in KSeF's text."),
        (CHECK_IDENTIFIER, TRY_AGAIN),
    ),
    'permission_identifiers': (
        _lt("The identifiers do not fit together."),
        None,
        (CHECK_IDENTIFIER, RIGHT_COMPANY),
    ),
    'permission_no_right': (
        _lt("Whom the program logs in as may not change rights."),
        None,
        (GIVE_MANAGE, WAIT_FOR_RIGHTS),
    ),
    'permission_role': (
        _lt("The company has not the role in KSeF that this right needs."),
        None,
        (RIGHT_COMPANY, ASK_ADMINISTRATOR),
    ),
    'permission_relation': (
        _lt("KSeF does not allow this right between these two."),
        None,
        (CHECK_IDENTIFIER,),
    ),
    'permission_identifier': (
        _lt("KSeF does not allow this right for an identifier of this kind."),
        None,
        (CHECK_IDENTIFIER,),
    ),
}
