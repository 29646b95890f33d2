"""`python -m benchmarks [--json]`: every bench_*.py of this folder, one after the other. 1 where a limit is missed."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    missed = 0
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        # A process each: one's threads, loops and leftovers must not slow the next.
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}", *sys.argv[1:]], check=False)
        missed += done.returncode != 0
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
