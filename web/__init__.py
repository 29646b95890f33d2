"""The console: agent, follow-up list and form, player, audit; the patient's phone of the demo; the live stream.

Beside it, an application of its own: the pages on which patients answer by a link (`answer_pages.py`).

Owns: HTML and HTTP. Reaches the telephone rooms only through the Protocols in `ports.py`. Begin with `app.py`."""
