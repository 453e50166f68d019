"""Fed to ``odoo shell`` by dev/samples: makes the invoices, writes their XML, and says what is wrong with any."""
import os
import sys
from pathlib import Path

sys.path.insert(0, os.environ['KSEF_SAMPLES_LIB'])

import samples

failed = samples.write_all(env, Path(os.environ['KSEF_SAMPLES_DIR']))  # noqa: F821
sys.stdout.flush()
os._exit(1 if failed else 0)  # the shell would swallow an exception
