"""`python -m forestall.cli`, where the command is not on the path."""

import sys

from forestall.cli import main

sys.exit(main())
