"""`python -m ingen_runtime FILE FUNCTION ARGS…` calls a function that a component exports."""

import sys

from ingen_runtime.command import main

sys.exit(main(sys.argv[1:]))
