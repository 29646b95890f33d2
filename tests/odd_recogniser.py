"""A worker that does what it is told, also what no worker should: `{"do": "die"}`. For tests of those who ask.

`python odd_recogniser.py FOLDER`: it starts only if FOLDER/refuse does not exist.
"""

import os
import sys
import time
from pathlib import Path

from speech.ears import wire


def main(folder: Path) -> int:
    out = sys.stdout.buffer
    if (folder / "refuse").exists():
        out.write(wire.packed({"failed": "told to refuse"}))
        return 1
    out.write(wire.packed({"ready": True}))
    out.flush()
    while (request := wire.read(sys.stdin.buffer)) is not None:
        head, sound = request
        match head["do"]:
            case "answer":
                out.write(
                    wire.packed({"label": "1", "margin": 9.0, "text": "uno", "pid": os.getpid(), "got": len(sound)})
                )
            case "wait":  # until the test lets it go on
                while not (folder / head["for"]).exists():
                    time.sleep(0.01)
                out.write(wire.packed({"label": "1", "margin": 9.0, "text": "uno", "pid": os.getpid()}))
            case "die":
                os._exit(3)
            case "die inside of an answer":
                out.write(wire.packed({"label": "1"})[:6])
                out.flush()
                os._exit(3)
            case "fail":
                out.write(wire.packed({"failed": "ValueError"}))
                out.flush()
                return 1
            case "hang":
                time.sleep(3600)
            case "talk rubbish":
                out.write(b"LOG (VoskAPI:ReadDataFiles():model.cc:213) Decoding params" * 10)
            case "promise too much":
                out.write(wire.LENGTHS.pack(1 << 31, 0))
            case "say a list":
                out.write(wire.LENGTHS.pack(2, 0) + b"[]")
        out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
