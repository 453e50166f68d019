"""Texts of the error coach: logging in with a token, a certificate or a signed file.

Key of the advice (see ksef/coach.py): what happened, why, steps.
"""

from odoo.tools.translate import LazyTranslate

from .ksef_advice_steps import (
    ASK_ADMINISTRATOR,
    BY_ITSELF,
    CHECK_CLOCK,
    CHOOSE_XADES,
    FETCH_KEYS,
    MINISTRY_FORM,
    NEW_CERTIFICATE,
    NEW_TOKEN,
    NEW_XML,
    OTHER_TOKEN,
    RECONNECT,
    RIGHT_COMPANY,
    SAME_ENVIRONMENT,
    SIGN_AS_OWNER,
    SUPPORT,
    TRUSTED_PROFILE,
    TRY_AGAIN,
    TRY_LATER,
    UPDATE_PROGRAM,
    UPLOAD_CERTIFICATE,
    USE_CERTIFICATE,
    WAIT_FOR_RIGHTS,
    ZAW_FA,
)

_lt = LazyTranslate(__name__)

TEXTS = {
    'login_in_progress': (
        _lt("Authorisation in progress."),
        _lt(
            "KSeF is checking the login. With a qualified signature or seal that can take minutes, because its issuer is asked; it is "
            "not an error."),
        (BY_ITSELF,),
    ),
    'login_no_permissions': (
        _lt("Whoever signed has no rights for this company in KSeF."),
        _lt("KSeF recognised the signature or certificate, but found no right for this NIP."),
        (RIGHT_COMPANY, SIGN_AS_OWNER, ZAW_FA, WAIT_FOR_RIGHTS),
    ),
    'login_token_no_permissions': (
        _lt("The token has no rights for this company any more."),
        _lt("Whoever made the token may have lost the rights that it was made with."),
        (RIGHT_COMPANY, ASK_ADMINISTRATOR, NEW_TOKEN, WAIT_FOR_RIGHTS),
    ),
    'login_revoked': (
        _lt("This login was ended in KSeF."),
        _lt("Somebody logged the program out, in the taxpayer application or with another program."),
        (RECONNECT,),
    ),
    'token_wrong': (
        _lt("KSeF does not know this token."),
        _lt("It was not copied whole, belongs to another environment, or was made for another company."),
        (SAME_ENVIRONMENT, NEW_TOKEN, USE_CERTIFICATE),
    ),
    'token_revoked': (
        _lt("The token was revoked."),
        _lt("Somebody revoked it in KSeF. Invoices that were issued with it stay valid."),
        (OTHER_TOKEN, NEW_TOKEN, USE_CERTIFICATE),
    ),
    'token_inactive': (
        _lt("The token is not active."),
        _lt("A new token needs a moment until it is active; one that is being revoked is no longer."),
        (TRY_LATER, OTHER_TOKEN, NEW_TOKEN),
    ),
    'token_other_company': (
        _lt("The token belongs to another company."),
        _lt("A token works only for the NIP that it was made for."),
        (RIGHT_COMPANY, NEW_TOKEN),
    ),
    'token_clock': (
        _lt("KSeF refused the time that was sent with the token."),
        _lt("The answer came too late, or the clock of the server is wrong."),
        (TRY_AGAIN, CHECK_CLOCK, SUPPORT),
    ),
    'token_encryption': (
        _lt("KSeF could not decrypt the token."),
        _lt("It was encrypted with a public key that KSeF has replaced."),
        (BY_ITSELF, FETCH_KEYS, SUPPORT),
    ),
    'token_refused': (
        _lt("KSeF does not accept the token."),
        _lt("The reason stands in KSeF's text. Under the present law tokens serve for logging in until 31 December 2026."),
        (OTHER_TOKEN, NEW_TOKEN, USE_CERTIFICATE),
    ),
    'challenge_again': (
        _lt("The challenge of the login is no longer valid."),
        _lt("It serves once and for ten minutes."),
        (BY_ITSELF,),
    ),
    'challenge_used': (
        _lt("The signed file was used already, or its ten minutes are over."),
        _lt("Each file holds a challenge of KSeF that serves once."),
        (NEW_XML,),
    ),
    'signature_missing': (
        _lt("The file is not signed."),
        _lt("The file that was uploaded holds no signature that KSeF recognises."),
        (NEW_XML, CHOOSE_XADES, TRUSTED_PROFILE),
    ),
    'signatures_several': (
        _lt("The file has more than one signature."),
        _lt("KSeF takes exactly one."),
        (NEW_XML,),
    ),
    'signature_bad': (
        _lt("KSeF does not accept the signature."),
        _lt("The file was changed after signing, or the program that signed works in a way that KSeF does not take."),
        (NEW_XML, CHOOSE_XADES, TRUSTED_PROFILE),
    ),
    'signature_profile': (
        _lt("The signature has not the form that KSeF asks for (XAdES)."),
        _lt("Since March 2026 KSeF insists on one of the XAdES profiles."),
        (CHOOSE_XADES, NEW_XML),
    ),
    'signature_algorithm': (
        _lt("The signature uses an algorithm that KSeF does not take."),
        _lt("SHA-1 and keys that are too short are refused."),
        (CHOOSE_XADES, NEW_XML),
    ),
    'signed_file_unreadable': (
        _lt("KSeF cannot read the signed file."),
        _lt("It is not the file that was downloaded here, or it was opened and saved by another program."),
        (NEW_XML,),
    ),
    'signature_conflict': (
        _lt("The signature does not fit the way of logging in."),
        None,
        (NEW_XML, SIGN_AS_OWNER),
    ),
    'own_signature': (
        _lt("KSeF refused the login that this program signed."),
        _lt("Nothing is wrong with your certificate; the fault is the program's."),
        (UPDATE_PROGRAM, SUPPORT),
    ),
    'certificate_refused': (
        _lt("KSeF does not accept the certificate."),
        _lt(
            "Most often it is from another environment; it may also be one of the kind “Offline”, which is not for logging in, or name "
            "neither NIP nor PESEL."),
        (SAME_ENVIRONMENT, NEW_CERTIFICATE),
    ),
    'signer_refused': (
        _lt("KSeF does not accept the certificate of whoever signed."),
        _lt("It is not from an issuer that this environment trusts, or names neither NIP nor PESEL."),
        (SAME_ENVIRONMENT, SIGN_AS_OWNER, TRUSTED_PROFILE),
    ),
    'subject_context': (
        _lt("With this certificate one cannot log in for an identifier of this kind."),
        None,
        (RIGHT_COMPANY, SIGN_AS_OWNER),
    ),
    'certificate_expired': (
        _lt("The certificate is not valid (any more)."),
        _lt("It has expired, or its validity has not begun."),
        (NEW_CERTIFICATE, TRUSTED_PROFILE),
    ),
    'certificate_revoked': (
        _lt("The certificate was revoked."),
        _lt("Somebody revoked it, in KSeF or at its issuer. Invoices that were issued stay valid."),
        (NEW_CERTIFICATE,),
    ),
    'certificate_suspended': (
        _lt("The certificate is suspended."),
        _lt("Its issuer, or KSeF, can lift that or revoke it for good."),
        (UPLOAD_CERTIFICATE, NEW_CERTIFICATE),
    ),
    'certificate_untrusted': (
        _lt("KSeF does not trust the issuer of the certificate."),
        _lt("Outside of the TEST environment only qualified certificates, trusted profiles and KSeF's own certificates count."),
        (SAME_ENVIRONMENT, NEW_CERTIFICATE),
    ),
    'certificate_chain': (
        _lt("KSeF could not check who issued the certificate."),
        _lt("The issuer's service may be out of order, or the issuer is not known."),
        (TRY_LATER, NEW_CERTIFICATE),
    ),
    'certificate_bad': (
        _lt("KSeF refused the certificate as incorrect."),
        _lt("The reason stands in KSeF's text."),
        (SAME_ENVIRONMENT, NEW_CERTIFICATE),
    ),
    'deceased': (
        _lt("KSeF has the person whose signature or certificate is used down as deceased."),
        _lt("Such credentials serve nobody any more."),
        (SIGN_AS_OWNER, ZAW_FA, MINISTRY_FORM),
    ),
    'login_blocked': (
        _lt("KSeF has blocked logging in for this company."),
        _lt("It suspects a security incident. Only the Ministry of Finance can lift the block."),
        (MINISTRY_FORM,),
    ),
    'not_authorised': (
        _lt("KSeF reports: no authorisation."),
        _lt("The login was used up, was ended, or the token that it was made with was revoked."),
        (TRY_AGAIN, OTHER_TOKEN, RECONNECT),
    ),
    'no_login': (
        _lt("KSeF reports: no authentication."),
        _lt("It does not know the login that was begun; it may be from another environment."),
        (BY_ITSELF, SAME_ENVIRONMENT, RECONNECT),
    ),
}
