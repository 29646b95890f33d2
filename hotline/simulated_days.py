"""`hotline dialer simulate`: what a pacing policy would do in days of any kind, without a telephone."""

import argparse
import json
import sys
import time
from collections.abc import Callable

MOST_DAYS = 10_000
POLICIES = """policies:
  hotline            ours: docs/decisions/0022-pacing.md
  progressive        one line for each ready nurse; nobody is abandoned
  vicidial-hard      VICIdial's adaptive rules, written anew from their description: over the ceiling, back to one line,
  vicidial-average     … half the level,
  vicidial-tapered     … the level by the share of the shift that is left
"""


def words(dialer: argparse.ArgumentParser) -> None:
    """What the command line takes."""
    simulate = dialer.add_subparsers(dest="task", required=True).add_parser(
        "simulate",
        help="simulate days of predictive dialling",
        epilog=POLICIES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    simulate.add_argument("--agents", type=int, default=20, metavar="N", help="nurses who talk (20)")
    simulate.add_argument(
        "--answer", type=float, default=0.3, metavar="P", help="share of the dialled who answer (0.3)"
    )
    simulate.add_argument(
        "--then",
        action="append",
        default=[],
        metavar="HOUR:P",
        help="from that hour on another share answers; repeatable",
    )
    simulate.add_argument("--talk", type=float, default=180.0, metavar="S", help="mean talk, wrap-up included (180 s)")
    simulate.add_argument("--spread", type=float, default=0.0, metavar="SIGMA", help="log-normal talks of that spread")
    simulate.add_argument("--ring", type=float, default=15.0, metavar="S", help="mean time that a line rings (15 s)")
    simulate.add_argument("--ceiling", type=float, default=0.03, metavar="P", help="abandoned ÷ answered (0.03)")
    simulate.add_argument("--lines", type=int, default=10_000, metavar="N", help="how many may ring at once")
    simulate.add_argument("--hours", type=float, default=8.0, metavar="H", help="a day's length (8)")
    simulate.add_argument("--days", type=int, default=20, metavar="N", help="how many days (20)")
    simulate.add_argument("--policy", default="hotline", metavar="NAME", help="see below (hotline)")
    simulate.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed, the same days (1)")
    simulate.add_argument("--json", action="store_true")


def simulated(asked: argparse.Namespace) -> int:
    """Prints what came of it; 2 where the question is wrong."""
    from dialer.pacing_rivals import POLICIES as KNOWN
    from dialer.simulator import Scenario, simulate

    try:
        if asked.policy not in KNOWN:
            raise ValueError(f"there is no policy {asked.policy!r}; there are {', '.join(KNOWN)}")
        if not 1 <= asked.days <= MOST_DAYS or asked.seed < 0:
            raise ValueError(f"one to {MOST_DAYS} days, and a seed from 0 on")
        if asked.ceiling == 0:
            raise ValueError("a ceiling of 0 leaves nothing to pace; to abandon nobody, take --policy progressive")
        scenario = Scenario(
            nurses=asked.agents,
            answer=((0.0, asked.answer), *map(_from_then_on, asked.then)),
            talk_s=asked.talk,
            ring_s=asked.ring,
            ceiling=asked.ceiling,
            hours=asked.hours,
            spread=asked.spread,
            line_limit=asked.lines,
        )
        if not any(rate for _, rate in scenario.answer):
            raise ValueError("nobody ever answers; --answer or --then must be above 0")
    except ValueError as problem:
        print(f"hotline dialer simulate: {problem}.", file=sys.stderr)
        return 2
    days = simulate(scenario, asked.policy, asked.days, asked.seed, played=_progress(asked.days))
    if asked.json:
        print(json.dumps(days.as_json()))
        return 0
    low, high = days.utilisation_95
    print(f"{days.policy}, {days.days} days of {scenario.hours:g} h with {scenario.nurses} nurses")
    spread = f"95 % of the days: {100 * low:.2f} to {100 * high:.2f}"
    print(f"  talking               {100 * days.utilisation:6.2f} %   ({spread})")
    print(f"  abandoned of answered {100 * days.abandoned:6.2f} %   (allowed: {100 * scenario.ceiling:g})")
    print(f"  days within that      {100 * days.days_within_ceiling:6.2f} %")
    print(f"  dialled a day         {days.dialled_a_day:6.0f}")
    return 0


def _progress(days: int) -> Callable[[int], None]:
    began = time.monotonic()

    def tell(over: int) -> None:
        took = time.monotonic() - began
        print(f"{over:,} of {days:,} days were played in {took:.0f} s …", file=sys.stderr, flush=True)

    return tell


def _from_then_on(text: str) -> tuple[float, float]:
    hour, _, share = text.partition(":")
    try:
        return float(hour), float(share)
    except ValueError:
        raise ValueError(f"--then takes an hour and a share, as in 4:0.6, not {text!r}") from None
