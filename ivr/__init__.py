"""The caller's side: the FastAGI server, the Call a dialogue talks through, and the dialogues.

Owns: what a caller hears and what their keys mean. Never: reads SQL itself (it asks `hospital`), talks AMI,
or knows who is on shift. Begin with `call.py` (the one verb `play`), then any file in `dialogues/`."""
