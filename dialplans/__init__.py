"""Asterisk's configuration: one template a file, filled from a `Plan`.

Owns: what a call does while no Python is asked (entry, queue, the static way when the ivr is gone), which phones
exist, who may dial what. Never: patient data, timing of campaigns, a default password. Begin with
`extensions.conf.j2`, then `plan.py` (what a site can set)."""

from dialplans.plan import Account, Plan, PlanRefused, Trunk
from dialplans.render import render

__all__ = ["Account", "Plan", "PlanRefused", "Trunk", "render"]
