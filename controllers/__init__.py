from . import ksef_archive
