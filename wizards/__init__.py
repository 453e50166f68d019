from . import ksef_connect
