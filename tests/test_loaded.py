"""What a process of the house has loaded is set aside from the collection of garbage."""

import subprocess
import sys

TOLD = """
import gc
from hotline import loaded
loaded.set_aside()
print(gc.isenabled(), len(gc.get_objects()) < gc.get_freeze_count())
"""


def test_what_is_loaded_is_looked_through_no_more() -> None:
    # in a process of its own: of this one there is no way back
    assert subprocess.run([sys.executable, "-c", TOLD], capture_output=True, check=True).stdout == b"True True\n"
