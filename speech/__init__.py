"""Voices (text to sound, with the prompt cache) and, later, ears (sound to text).

Owns: engines and their cache. Never: wording (that is `scripts`). Begin with `cache.py`."""
