"""What the line said about a dialled leg: one of ten words, from Asterisk's Hangup event.

The table was measured (Asterisk 22, PJSIP) with a peer that answers each SIP status. `Cause` is Q.850,
`TechCause` the SIP status of the peer. Of the person nothing is said here: that is the contact result.

Rules:
- A leg that was answered is `answered`, whatever ended it.
- "An attempt counts only if the phone rang; a trunk failure is ours": what the network did to us is
  `network_failure`; what rang and was not taken is `no_answer`.
- Carriers lie: a single `invalid_number` is not proof. Who acts on it waits for the second.
"""

from __future__ import annotations

from enum import StrEnum


class LineResult(StrEnum):
    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    UNREACHABLE = "unreachable"
    NETWORK_FAILURE = "network_failure"
    MACHINE = "machine"
    FAX = "fax"
    CANCELLED = "cancelled"


_R = LineResult

# Result when the phone had not rung, result when it had.
_BY_SIP_STATUS: dict[int, tuple[LineResult, LineResult]] = {
    486: (_R.BUSY, _R.BUSY),
    600: (_R.BUSY, _R.BUSY),
    404: (_R.INVALID_NUMBER, _R.INVALID_NUMBER),
    604: (_R.INVALID_NUMBER, _R.INVALID_NUMBER),
    410: (_R.INVALID_NUMBER, _R.INVALID_NUMBER),
    484: (_R.INVALID_NUMBER, _R.INVALID_NUMBER),
    480: (_R.UNREACHABLE, _R.NO_ANSWER),  # off or no coverage; or the carrier gave up a phone that rang
    408: (_R.UNREACHABLE, _R.NO_ANSWER),
    603: (_R.REJECTED, _R.REJECTED),
    403: (_R.NETWORK_FAILURE, _R.REJECTED),  # before any ringing it is the trunk that refuses our account
    503: (_R.NETWORK_FAILURE, _R.NETWORK_FAILURE),
    500: (_R.NETWORK_FAILURE, _R.NETWORK_FAILURE),
    488: (_R.NETWORK_FAILURE, _R.NETWORK_FAILURE),  # no common codec: our configuration
    606: (_R.NETWORK_FAILURE, _R.NETWORK_FAILURE),
    487: (_R.NETWORK_FAILURE, _R.NO_ANSWER),  # the other side ended it although we had not cancelled
}

# ITU-T Q.850, where the peer's status is missing or another: Dial()'s own timeout, a peer that is no SIP.
_BY_CAUSE: dict[int, tuple[LineResult, LineResult]] = {
    0: (_R.NETWORK_FAILURE, _R.NO_ANSWER),
    1: (_R.INVALID_NUMBER, _R.INVALID_NUMBER),
    3: (_R.UNREACHABLE, _R.UNREACHABLE),  # no route: the phone is not registered
    16: (_R.NETWORK_FAILURE, _R.NO_ANSWER),
    17: (_R.BUSY, _R.BUSY),
    18: (_R.UNREACHABLE, _R.NO_ANSWER),
    19: (_R.UNREACHABLE, _R.NO_ANSWER),
    20: (_R.UNREACHABLE, _R.NO_ANSWER),
    21: (_R.REJECTED, _R.REJECTED),
    22: (_R.INVALID_NUMBER, _R.INVALID_NUMBER),
    26: (_R.CANCELLED, _R.CANCELLED),  # answered elsewhere: another agent took it
    28: (_R.INVALID_NUMBER, _R.INVALID_NUMBER),
}


def line_result(
    cause: int,
    tech_cause: int | None,
    *,
    rang: bool,
    answered: bool = False,
    cancelled: bool = False,
    timed_out: bool = False,
    heard: LineResult | None = None,
) -> LineResult:
    """The line result of a leg that has ended.

    cause: Q.850 cause of its Hangup event. tech_cause: SIP status there, None if absent. rang: it was seen in
    the state Ringing. cancelled: we hung up. timed_out: our own Originate gave up (Asterisk then writes 19 and
    480 as if the peer had). heard: MACHINE or FAX if a detector said so after the answer.
    """
    if answered:
        return heard if heard in (_R.MACHINE, _R.FAX) else _R.ANSWERED
    if cancelled:
        return _R.CANCELLED
    if timed_out:
        return _R.NO_ANSWER if rang else _R.NETWORK_FAILURE  # a peer that never said "ringing" is not a phone
    found = _BY_SIP_STATUS.get(tech_cause or 0) or _BY_CAUSE.get(cause)
    return found[rang] if found else _R.NETWORK_FAILURE


def never_began(over_trunk: bool) -> LineResult:
    """The line result where Asterisk made no leg: the phone is not registered, the trunk has no contact."""
    return _R.NETWORK_FAILURE if over_trunk else _R.UNREACHABLE
