from . import ksef_connect
from . import ksef_send
from . import account_move_send
from . import account_resequence
