"""`python -m hotline` is `hotline`."""

import sys

from hotline.commands import main

sys.exit(main())
