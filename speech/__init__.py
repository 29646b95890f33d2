"""Voices (text to sound, with the prompt cache) and ears (sound to text).

Owns: engines, their cache and a hospital's own recordings. Never: wording (that is `scripts`, reached
through a Protocol). Begin with `speaker.py`; `cache.py` has the rules, `voices/` the engines. Ears begin with
`ears/__init__.py`.
"""
