"""The agent's side: the AMI connection, our events, presence, screen-pop and call control.

Owns: every AMI byte. Never: decides who is to be called (that is `dialer`), writes HTML (that is `web`).
Begin with `ami.py` (the adapter), then `events.py` (Asterisk's words turned into ours)."""
