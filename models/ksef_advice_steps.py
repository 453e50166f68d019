"""What a person can do, in one sentence each: the steps that the error coach gives."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

WAIT_FOR_RIGHTS = _lt("Wait for a few minutes up to a quarter of an hour, until KSeF knows the new right, and try again.")
GIVE_WRITE = _lt(
    "In the taxpayer application: Uprawnienia → Nadawanie uprawnień → give the right “wystawianie faktur” to whom the program logs in "
    "as.")
GIVE_READ = _lt(
    "In the taxpayer application: Uprawnienia → Nadawanie uprawnień → give the right “dostęp do faktur” to whom the program logs in as.")
GIVE_MANAGE = _lt(
    "In the taxpayer application: Uprawnienia → Nadawanie uprawnień → give the right “zarządzanie uprawnieniami” to whom the program "
    "logs in as.")
TOKEN_IS_NARROW = _lt("The rights of a token never change: after a right was added, make a new token that has it and connect again.")
ZAW_FA = _lt(
    "A company without a qualified seal names its first authorised person with the form ZAW-FA (in e-Urząd Skarbowy, or on paper at the "
    "tax office). That person then gives the rights to invoices, also to himself or herself.")
RIGHT_COMPANY = _lt("Check that you are connecting the right company: the NIP of the seller, not that of the buyer.")
SIGN_AS_OWNER = _lt(
    "Let the file be signed by the owner, by a person who has rights for this NIP in KSeF, or with the company's qualified seal or "
    "signature that holds its NIP.")
NEW_XML = _lt(
    "Click “Prepare a new file”, download the XML file, sign it without opening or editing it, and upload the signed file within ten "
    "minutes.")
CHOOSE_XADES = _lt("In the program that signs, choose XAdES, enveloped (podpis otoczony), with SHA-256.")
TRUSTED_PROFILE = _lt(
    "Trusted profile: check that it has not expired (it is prolonged in the bank or at pz.gov.pl). Since 31 March 2026 KSeF may refuse "
    "it. Then log in to the taxpayer application with login.gov.pl, get a KSeF certificate there and upload it here.")
NEW_TOKEN = _lt(
    "In the taxpayer application of this environment: Tokeny → Generuj token → choose the rights “wystawianie faktur” and, to fetch "
    "bills, “dostęp do faktur” → copy the token and connect again with it.")
OTHER_TOKEN = _lt("If there is another token that is active, make it the default one.")
USE_CERTIFICATE = _lt(
    "Better: connect with a certificate. It does not end with the year 2026, as tokens may, and the program renews it by itself.")
NEW_CERTIFICATE = _lt(
    "In the taxpayer application of this environment: Certyfikaty → Wnioskuj o certyfikat; connect again with the new certificate and "
    "its key.")
SAME_ENVIRONMENT = _lt("Check the environment: a certificate or token of DEMO does not work in production, and the other way round.")
REVOKE_OLD_CERTIFICATES = _lt(
    "Revoke certificates that nobody uses, here in the list of certificates or in the taxpayer application, and start again.")
UPLOAD_CERTIFICATE = _lt(
    "Or upload a certificate and its key that you already have (from the taxpayer application or from another program): the same pair "
    "may serve several programs and several companies.")
LOG_IN_WITH_CERTIFICATE = _lt("Connect with a certificate or with a signed file, then try again.")
BY_ITSELF = _lt("You need not do anything: the program tries again by itself.")
TRY_AGAIN = _lt("Try again.")
TRY_LATER = _lt("Try again in a few minutes.")
NOTHING_LOST = _lt("Nothing is lost: what was to be sent waits and goes out by itself.")
CHECK_STATUS = _lt("Look whether the Ministry announces a failure or maintenance. If so, wait until it announces the end.")
CHECK_INTERNET = _lt("Check the internet connection of the server, its firewall and its proxy.")
UPDATE_PROGRAM = _lt("Check that the newest version of this program is installed.")
CHECK_CLOCK = _lt("Check the clock of the server: it must be right to the minute.")
FETCH_KEYS = _lt("If it happens again, click “Fetch public keys” on the connection.")
SUPPORT = _lt("Copy the support data from the connection and send them to whoever supports this program, with the full text of KSeF.")
MINISTRY_FORM = _lt("Write to the Ministry of Finance with its contact form; name the time, the NIP and the full text of KSeF.")
RECONNECT = _lt("Connect again.")
CORRECT_INVOICE = _lt("Reset the invoice to draft, correct it, confirm it and send it again. It keeps its number.")
GET_STATUS = _lt("Click “Get KSeF status”.")
NEW_SESSION = _lt("The program opens another session by itself and sends the same document again.")
START_ANEW = _lt("Start again from the beginning.")
ASK_ADMINISTRATOR = _lt("Ask who manages this company's rights in KSeF.")
CHECK_IDENTIFIER = _lt("Check the PESEL or NIP, and the name, of whom the right is for.")
