"""Texts of the error coach: no connection, limits, rights that are missing, faults of either side.

Key of the advice (see ksef/coach.py): what happened, why, steps.
"""

from odoo.tools.translate import LazyTranslate

from .ksef_advice_steps import (
    ASK_ADMINISTRATOR,
    BY_ITSELF,
    CHECK_CLOCK,
    CHECK_INTERNET,
    CHECK_STATUS,
    FETCH_KEYS,
    GIVE_MANAGE,
    GIVE_READ,
    GIVE_WRITE,
    LOG_IN_WITH_CERTIFICATE,
    MINISTRY_FORM,
    NOTHING_LOST,
    RECONNECT,
    RIGHT_COMPANY,
    START_ANEW,
    SUPPORT,
    TOKEN_IS_NARROW,
    TRY_LATER,
    UPDATE_PROGRAM,
    WAIT_FOR_RIGHTS,
)

_lt = LazyTranslate(__name__)

TEXTS = {
    'done': (
        _lt("All is well."),
        None,
        (),
    ),
    'in_progress': (
        _lt("KSeF is working on it."),
        _lt("This usually takes seconds, at busy times some minutes."),
        (BY_ITSELF,),
    ),
    'no_connection': (
        _lt("There is no connection to KSeF."),
        _lt("The call did not leave this server, or KSeF could not be reached."),
        (NOTHING_LOST, CHECK_INTERNET, CHECK_STATUS),
    ),
    'no_answer': (
        _lt("KSeF did not answer in time."),
        _lt("It may have taken the call all the same; the program finds out before it repeats anything."),
        (BY_ITSELF, CHECK_STATUS),
    ),
    'service_down': (
        _lt("The KSeF service is not working at the moment."),
        _lt("KSeF answered with an error of its own."),
        (NOTHING_LOST, CHECK_STATUS),
    ),
    'unreadable_answer': (
        _lt("An answer came that is not one of KSeF's."),
        _lt("A firewall, a proxy, or a page about maintenance may stand between."),
        (BY_ITSELF, CHECK_INTERNET, CHECK_STATUS),
    ),
    'damaged_download': (
        _lt("What KSeF delivered is not what it says it is: sizes or hashes differ."),
        _lt("It was damaged on the way; nothing of it is kept."),
        (BY_ITSELF, SUPPORT),
    ),
    'rate_limit': (
        _lt("The limit of calls to KSeF is reached."),
        _lt("KSeF allows only so many calls for a company and an internet address in a second, a minute and an hour."),
        (BY_ITSELF,),
    ),
    'unauthorized': (
        _lt("KSeF no longer knows this login."),
        _lt("The login ran out, or it was ended in KSeF."),
        (BY_ITSELF, RECONNECT),
    ),
    'unauthorized_login': (
        _lt("KSeF refused the login itself (401): an authorisation problem on the side of the integration."),
        _lt("What the program shows to KSeF as its login does not count there."),
        (RECONNECT, CHECK_CLOCK, SUPPORT),
    ),
    'gone': (
        _lt("KSeF no longer keeps the state of this operation."),
        _lt("Logins and exports are kept for 7 days, certificate requests and changes of rights for 30 days."),
        (START_ANEW,),
    ),
    'protocol': (
        _lt("KSeF and this program do not agree about the protocol."),
        _lt("The interface of KSeF may have changed."),
        (UPDATE_PROGRAM, SUPPORT),
    ),
    'unreadable_content': (
        _lt("KSeF could not read the call of this program."),
        _lt("Nothing was done in KSeF and nothing is wrong with your data."),
        (UPDATE_PROGRAM, SUPPORT),
    ),
    'input_invalid': (
        _lt("KSeF refused the call of this program, because a value in it is not allowed."),
        _lt("Which one it is stands in KSeF's text. Nothing was done in KSeF."),
        (UPDATE_PROGRAM, SUPPORT),
    ),
    'list_changed': (
        _lt("KSeF cannot continue the list that it began."),
        None,
        (BY_ITSELF, SUPPORT),
    ),
    'own_input': (
        _lt("This was not sent to KSeF, because KSeF would not take it."),
        _lt("What is wrong stands in the text of the error."),
        (SUPPORT,),
    ),
    'key_unknown': (
        _lt("KSeF has changed its public keys."),
        _lt("What was encrypted with the old key cannot be read there any more."),
        (BY_ITSELF, FETCH_KEYS),
    ),
    'ksef_internal': (
        _lt("KSeF reports an unknown error of its own."),
        None,
        (TRY_LATER, CHECK_STATUS, MINISTRY_FORM),
    ),
    'cancelled': (
        _lt("KSeF itself broke the operation off."),
        _lt("The reason lies inside of KSeF; it asks to try again."),
        (TRY_LATER,),
    ),
    'unknown_refusal': (
        _lt("KSeF refused the operation with a code that this program does not know yet."),
        _lt("What KSeF says stands beside it, in full."),
        (UPDATE_PROGRAM, SUPPORT),
    ),
    'unknown_failure': (
        _lt("KSeF ended the operation with a status that this program does not know yet."),
        _lt("What KSeF says stands beside it, in full. It is not taken for an answer about your document."),
        (UPDATE_PROGRAM, SUPPORT),
    ),
    'forbidden_send': (
        _lt("The right to issue invoices (wystawianie faktur) is missing."),
        _lt("Whom the program logs in as may not send invoices for this company."),
        (GIVE_WRITE, TOKEN_IS_NARROW, WAIT_FOR_RIGHTS),
    ),
    'forbidden_receive': (
        _lt("The right to see invoices (dostęp do faktur) is missing."),
        _lt("Whom the program logs in as may not fetch invoices of this company."),
        (GIVE_READ, TOKEN_IS_NARROW, WAIT_FOR_RIGHTS),
    ),
    'forbidden_manage': (
        _lt("The right to manage permissions (zarządzanie uprawnieniami) is missing."),
        _lt("Whom the program logs in as may neither see nor change what others may do."),
        (GIVE_MANAGE, TOKEN_IS_NARROW, WAIT_FOR_RIGHTS),
    ),
    'forbidden_missing': (
        _lt("A right that this needs is missing in KSeF."),
        _lt("Which rights would do and which there are stands in KSeF's answer."),
        (ASK_ADMINISTRATOR, TOKEN_IS_NARROW, WAIT_FOR_RIGHTS),
    ),
    'forbidden_ip': (
        _lt("KSeF does not allow this login from this internet address."),
        _lt("The login was bound to certain addresses, and the server's address is not one of them (any more)."),
        (CHECK_INTERNET, RECONNECT),
    ),
    'forbidden_resource': (
        _lt("KSeF does not let this company see what was asked for."),
        _lt("It belongs to another company, or was sent from another context."),
        (RIGHT_COMPANY, ASK_ADMINISTRATOR),
    ),
    'forbidden_method': (
        _lt("KSeF does not allow this with the way in that is used."),
        _lt("Certificates, for one, can only be asked for after a login with a certificate or a signature, not with a token."),
        (LOG_IN_WITH_CERTIFICATE,),
    ),
    'forbidden_blocked': (
        _lt("KSeF's security service has blocked the access."),
        _lt("It suspects a security incident; only the Ministry can lift the block."),
        (MINISTRY_FORM,),
    ),
    'forbidden_context': (
        _lt("KSeF does not allow this for the kind of identifier that the program logged in to."),
        None,
        (RIGHT_COMPANY, RECONNECT),
    ),
    'forbidden': (
        _lt("KSeF does not allow this."),
        _lt("The reason that KSeF gives stands beside it."),
        (ASK_ADMINISTRATOR, WAIT_FOR_RIGHTS),
    ),
}
