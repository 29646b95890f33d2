"""What was said: the spool of plain files, sealing, the catalogue, replay.

Owns: the spool's plain files and the sealed ones. Never: starts a recording (`cti` does, on a nurse's key),
logs a word of what was said, decides who may listen (`hospital` does). Begin with `sealing.py` (the file
format), then `capture.py` (from the spool to the shelf) and `replay.py` (back to an ear)."""
