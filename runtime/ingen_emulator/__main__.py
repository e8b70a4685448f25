"""`python -m ingen_emulator` is the command `ingen`."""

import sys

from ingen_emulator.cli import main

sys.exit(main())
