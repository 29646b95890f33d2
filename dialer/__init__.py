"""Outgoing contact: one due follow-up task becomes attempts, one attempt at most one call.

Owns: claiming, originating, settling. Never: decides what is due or what an outcome means (`hospital.followups`
does), speaks AMI (it declares `Telephone`, which `cti` satisfies). Begin with `runner.py`. `pacing.py` and
`simulator.py` stand alone."""
