"""The console: agent, follow-up list and form, player, audit; the patient's phone of the demo; the live stream.

Owns: HTML and HTTP. Reaches the telephone rooms only through the Protocols in `ports.py`. Begin with `app.py`."""
