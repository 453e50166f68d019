from . import ksef_connect
from . import ksef_connect_certificate
from . import ksef_upload_signed
from . import ksef_send
from . import account_move_send
from . import account_move_reversal
from . import account_resequence
