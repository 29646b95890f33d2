"""Outgoing contact: one due follow-up task becomes attempts, one attempt at most one call.

Owns: claiming, originating, settling. Never: decides what is due (`hospital.followups` does) or what an outcome means
(`hospital.outcomes`), speaks AMI (it declares `Telephone`, which `cti` satisfies). Begin with `runner.py`. `pacing.py`
and `simulator.py` stand alone."""
