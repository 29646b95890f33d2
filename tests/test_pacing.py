"""How many to dial now: what always holds, whatever the day was like, and days that are simulated."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.optimal_pacing import optimum
from dialer import simulator
from dialer.pacing import Pace, Tally, lines_for, pace
from dialer.pacing_rivals import POLICIES, Floor, Ours
from dialer.simulator import Scenario, simulate, simulate_day
from hotline.commands import main

pytestmark = [pytest.mark.covers("H14")]


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    """Any day so far."""
    tally = Tally()
    for rate, lines in draw(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 200)), max_size=5)):
        for luck in np.random.default_rng(draw(st.integers(0, 9))).random(lines):
            tally.ended(bool(luck < rate))
    tally.abandoned = draw(st.integers(0, tally.answered))
    tally.talks = draw(st.integers(0, tally.answered))
    tally.talked_s = draw(st.floats(0, 1e6))
    tally.rang_s = draw(st.floats(0, 1e6))
    return tally


NURSES = st.integers(1, 100)


@given(tallies(), NURSES, st.integers(0, 300), st.integers(0, 200), st.floats(0, 0.2))
def test_it_dials_for_ready_nurses_and_within_the_lines(
    tally: Tally, nurses: int, ringing: int, limit: int, ceiling: float
) -> None:
    for ready in {0, 1, nurses // 2, nurses}:
        paced = pace(nurses, ready, ringing, tally, ceiling, limit)
        assert paced.dial >= 0
        assert ringing + paced.dial <= max(limit, ringing)
        if ready == 0:
            assert paced == Pace(0, "no_nurse")
        else:  # never less than progressive
            assert ringing + paced.dial >= min(ready, limit)


@given(tallies(), NURSES)
def test_well_over_the_ceiling_it_is_progressive(tally: Tally, nurses: int) -> None:
    tally.abandoned = int(0.03 * tally.answered) + 3
    assert pace(nurses, nurses, 0, tally, 0.03, 1000) == Pace(nurses, "ceiling_near")


@pytest.mark.parametrize(("ready", "best"), [(1, 1), (2, 4), (3, 9), (4, 15), (6, 27), (9, 47)])
def test_as_many_lines_as_the_optimum_for_one_nurse_and_for_all(ready: int, best: int) -> None:
    """Ten nurses, 10 % answer, a ceiling of 1 %: what optimal_pacing.py solves. The reserve is spare."""
    tally = _usual(6000, every=10)
    tally.abandoned = 2
    assert lines_for(ready, 10, 4.0, tally, 0.01) == pytest.approx(best, rel=0.12, abs=1)


def test_where_the_ceiling_bears_none_little_is_risked() -> None:
    tally = _usual(4000, every=10)  # 400 have answered, and 12 may be abandoned
    bold = pace(10, 6, 0, tally, 0.03, 1000)
    tally.abandoned = 12
    near = pace(10, 6, 0, tally, 0.03, 1000)
    assert near.why == "ceiling_near"
    tally.abandoned = 13
    over = pace(10, 6, 0, tally, 0.03, 1000)
    assert 6 < over.dial <= near.dial < bold.dial
    assert over.dial * tally.answer_rate < 6, "fewer answer in the mean than are ready"


def test_a_tighter_ceiling_means_fewer_lines_though_as_much_is_to_spare() -> None:
    tally = _usual(6000, every=3)
    assert lines_for(4, 20, 4.0, tally, 0.01) < 0.9 * lines_for(4, 20, 4.0, tally, 0.03)


@given(tallies(), NURSES)
def test_all_may_answer_at_once_half_as_often_again_as_lately(tally: Tally, nurses: int) -> None:
    lines = pace(nurses, nurses, 0, tally, 0.03, 10_000).dial
    if lines > nurses:
        more = lines * min(1.0, 1.5 * tally.answer_rate) - nurses
        assert more <= max(0.0, 0.03 * tally.answered - tally.abandoned) + 1e-6


def test_without_data_it_is_progressive_and_with_more_abandoned_more_careful() -> None:
    assert pace(20, 4, 0, Tally(), 0.03, 100) == Pace(4, "ceiling_near")
    tally = _usual(600, every=3)
    dialled = []
    for abandoned in range(9):
        tally.abandoned = abandoned
        dialled.append(pace(20, 4, 0, tally, 0.03, 100).dial)
    assert dialled == sorted(dialled, reverse=True)
    assert dialled[0] > 4 == dialled[-1]


def test_a_silent_trunk_is_not_dialled_harder_and_is_met_anew_when_it_is_back() -> None:
    tally = _usual(3000, every=3)
    assert pace(20, 20, 0, tally, 0.03, 10_000).why == "enough"
    for _ in range(40):
        tally.ended(False)
    assert pace(20, 20, 0, tally, 0.03, 10_000) == Pace(20, "silent_trunk")
    tally.ended(True)
    assert tally.answer_rate == 1


def _usual(lines: int, every: int) -> Tally:
    tally = Tally(rang_s=lines * 15.0, talks=lines // every, talked_s=lines / every * 180.0)
    for line in range(1, lines + 1):
        tally.ended(line % every == 0)
    return tally


@pytest.mark.parametrize(
    ("nurses", "talk_s", "known"), [(10, 180, 0.86), (20, 180, 0.90), (10, 120, 0.83), (20, 120, 0.88)]
)
def test_the_optimum_is_the_one_that_is_known(nurses: int, talk_s: float, known: float) -> None:
    solution = optimum(nurses, 0.3, talk_s, 15, 0.03)
    assert solution.utilisation == pytest.approx(known, abs=0.005)


@pytest.mark.parametrize(("talk_s", "known"), [(180, 0.783), (120, 0.706)])
def test_progressive_abandons_nobody_and_talks_as_long_as_it_must(talk_s: float, known: float) -> None:
    days = simulate(Scenario(nurses=10, talk_s=talk_s), "progressive", 12, processes=1)
    assert days.abandoned == 0
    assert days.utilisation == pytest.approx(
        known, abs=0.01
    )  # talk ÷ (talk + ring ÷ answer rate), less the first minutes


def test_a_dialer_that_looks_rarely_lets_nurses_wait() -> None:
    days = simulate(Scenario(nurses=10, looks_s=30), "progressive", 12, processes=1)
    until_the_next_look = 30 / (1 - exp(-30 / 15))  # from the look that has dialled; a line rings for 15 s
    waits = 30 / 2 + (1 / 0.3 - 1) * until_the_next_look + 15
    assert days.utilisation == pytest.approx(180 / (180 + waits), abs=0.015)
    often = simulate(Scenario(nurses=10, looks_s=1), "progressive", 4, processes=1)
    assert often.utilisation == pytest.approx(0.783, abs=0.015)


NOON = ((0.0, 0.3), (4.0, 0.6))


@pytest.mark.parametrize(
    ("scenario", "rates"),
    [
        (Scenario(nurses=10), (0.3,)),
        (Scenario(nurses=10, talk_s=120, spread=0.8), (0.3,)),
        (Scenario(nurses=15, answer=NOON), (0.3, 0.6)),
        (Scenario(nurses=10, answer=((0.0, 0.9),)), (0.9,)),
    ],
)
def test_nearly_the_optimum_and_each_day_within_the_ceiling(scenario: Scenario, rates: tuple[float, ...]) -> None:
    days = simulate(scenario, "hotline", 10, processes=1)
    best = sum(optimum(scenario.nurses, p, scenario.talk_s, 15, 0.03).utilisation for p in rates) / len(rates)
    assert days.utilisation >= 0.95 * best
    assert days.days_within_ceiling == 1


def test_a_short_campaign_whom_few_answer_is_not_dialled_one_by_one() -> None:
    scenario = Scenario(nurses=10, answer=((0.0, 0.1),), ring_s=20, ceiling=0.01, hours=1.0)
    ours, one_by_one = (simulate(scenario, policy, 40, processes=1) for policy in ("hotline", "progressive"))
    assert ours.utilisation >= 1.2 * one_by_one.utilisation
    assert ours.days_within_ceiling >= 0.95


@pytest.mark.parametrize(
    "answer",
    [
        tuple((half / 2, float(half % 2)) for half in range(16)),  # all or nothing
        ((0.0, 0.3), (2.0, 0.0), (2.5, 1.0), (2.6, 0.3)),  # an outage, and then all at once
        ((0.0, 0.0),),
        ((0.0, 1.0),),
    ],
)
def test_whatever_the_trunk_does_the_ceiling_is_kept(answer: tuple[tuple[float, float], ...]) -> None:
    days = simulate(Scenario(nurses=20, answer=answer, line_limit=200), "hotline", 3, processes=1)
    assert days.days_within_ceiling == 1


def test_one_nurse_alone_abandons_next_to_nobody() -> None:
    days = simulate(Scenario(nurses=1), "hotline", 4, processes=1)
    assert days.days_within_ceiling == 1


def test_a_short_day_as_it_was_before() -> None:
    """Changed on purpose? Then these figures change with it."""
    day = simulate_day(Scenario(nurses=10, hours=2.0), Ours(), np.random.default_rng(7))
    assert (day.dialled, day.answered, day.abandoned, day.most_ringing) == (1158, 369, 5, 13)
    assert day.utilisation == pytest.approx(0.8280, abs=1e-4)


def test_the_same_days_by_any_number_of_processes() -> None:
    scenario = Scenario(nurses=3, hours=1.0)
    assert simulate(scenario, "hotline", 8, processes=1) == simulate(scenario, "hotline", 8, processes=2)


@pytest.mark.parametrize("left", [0.5, 0.25])
@pytest.mark.parametrize("policy", ["vicidial-hard", "vicidial-average", "vicidial-tapered"])
def test_vicidials_rules_grow_their_level_and_ease_it_over_the_limit(policy: str, left: float) -> None:
    pacer, tally = POLICIES[policy](), Tally()
    floor = Floor(10, ready=10, ringing=0, waiting=0, tally=tally, ceiling=0.03, line_limit=1000, shift_left=left)
    assert pacer.dial(floor) == 10
    for _ in range(30):
        pacer.sampled(floor)
    assert pacer.dial(floor) == 30  # doubled, and doubled again up to three lines a nurse
    tally.answered, tally.abandoned = 100, 4
    for _ in range(15):
        pacer.sampled(floor)
    tapered = {0.5: 15, 0.25: 10}[left]  # a quarter of three lines is less than one, which is the least
    assert pacer.dial(floor) == {"vicidial-hard": 10, "vicidial-average": 15, "vicidial-tapered": tapered}[policy]


@pytest.mark.parametrize(("left", "lines"), [(1.0, 30), (0.75, 22), (0.5, 15), (0.4, 12)])
def test_vicidials_tapered_rule_eases_more_the_less_of_the_shift_is_left(left: float, lines: int) -> None:
    assert level_over_the_limit("vicidial-tapered", left) == lines
    assert level_over_the_limit("vicidial-average", left) == 15


def level_over_the_limit(policy: str, left: float) -> int:
    pacer, tally = POLICIES[policy](), Tally()
    floor = Floor(10, ready=10, ringing=0, waiting=0, tally=tally, ceiling=0.03, line_limit=1000, shift_left=left)
    for _ in range(45):
        pacer.sampled(floor)
    tally.answered, tally.abandoned = 100, 4
    for _ in range(15):
        pacer.sampled(floor)
    return pacer.dial(floor)


@pytest.mark.parametrize(
    ("calls", "drops", "lines"),
    [(21, 11, 15), (40, 30, 15), (20, 20, 30), (21, 10, 30)],
    ids=["over half", "most", "no more than twenty calls", "half at most"],
)
def test_vicidials_emergency_halves_the_level_in_a_minute_that_drops_more_than_half(
    calls: int, drops: int, lines: int
) -> None:
    """Under the day's limit: it is the minute alone."""
    pacer, tally = POLICIES["vicidial-average"](), Tally(answered=5000)
    floor = Floor(10, ready=10, ringing=0, waiting=0, tally=tally, ceiling=0.03, line_limit=1000)
    for _ in range(75):
        pacer.sampled(floor)
    assert pacer.dial(floor) == 30
    tally.answered, tally.abandoned = 5000 + calls, drops
    for _ in range(15):
        pacer.sampled(floor)
    assert pacer.dial(floor) == lines
    tally.answered += 1000  # and a minute without any ends it
    for _ in range(75):
        pacer.sampled(floor)
    assert pacer.dial(floor) == 30


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["dialer", "simulate", "--agents", "4", "--days", "2", "--hours", "1", "--then", "0.5:0.6"]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0.5 < told["utilisation"] <= 1
    assert told["abandoned"] >= 0
    assert told["days_within_ceiling"] in (0, 0.5, 1)
    assert main(asked) == 0
    assert "talking" in capsys.readouterr().out


def test_the_command_takes_what_a_site_knows_of_its_calls(capsys: pytest.CaptureFixture[str]) -> None:
    """A small day, asked in every word, is the day that the simulator plays."""
    asked = ["--agents", "5", "--hours", "1", "--days", "2", "--seed", "3", "--lines", "40", "--spread", "0.5"]
    asked += ["--answer", "0.5", "--talk", "60", "--ring", "12", "--ceiling", "0.02", "--policy", "vicidial-average"]
    assert main(["dialer", "simulate", *asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    scenario = Scenario(
        nurses=5, answer=((0.0, 0.5),), talk_s=60, ring_s=12, ceiling=0.02, hours=1, spread=0.5, line_limit=40
    )
    assert told == json.loads(json.dumps(simulate(scenario, "vicidial-average", 2, 3).as_json()))
    assert (told["policy"], told["days"]) == ("vicidial-average", 2)
    for one, other in (("0.5", "0.3"), ("60", "90"), ("12", "25"), ("vicidial-average", "hotline")):
        changed = [other if word == one and asked[n - 1] != "--spread" else word for n, word in enumerate(asked)]
        assert main(["dialer", "simulate", *changed, "--json"]) == 0
        again = json.loads(capsys.readouterr().out)
        assert again != told, "each word counts"


def test_how_far_a_long_simulation_is_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulator, "LOOK_S", 0.02)
    asked = ["dialer", "simulate", "--agents", "30", "--days", "3", "--json"]
    assert main(asked) == 0
    told = capsys.readouterr()
    assert "of 3 days were played in" in told.err
    monkeypatch.setattr(simulator, "LOOK_S", 600.0)
    assert main(asked) == 0
    again = capsys.readouterr()
    assert (json.loads(again.out), again.err) == (json.loads(told.out), ""), "and changes nothing"


@pytest.mark.parametrize("send", [os.killpg, os.kill], ids=["Ctrl-C", "kill -INT"])
def test_who_has_seen_enough_of_a_simulation_ends_it_at_once(send: Callable[[int, int], None]) -> None:
    """A day of ten thousand nurses takes minutes."""
    code = (
        "import sys; from dialer import simulator; simulator.LOOK_S = 0.1\n"
        "from hotline.commands import main; sys.exit(main(sys.argv[1:]))"
    )
    asked = [sys.executable, "-c", code, "dialer", "simulate", "--agents", "10000", "--talk", "5", "--days", "20"]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # who runs tests in the background may ignore it
    with subprocess.Popen(
        asked, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heard
    ) as playing:
        assert playing.stderr is not None
        assert "0 of 20 days were played" in playing.stderr.readline()
        send(playing.pid, signal.SIGINT)
        _, told = playing.communicate(timeout=20)
    assert playing.returncode == 130
    assert "Traceback" not in told and "Error" not in told
    with pytest.raises(ProcessLookupError):
        os.killpg(playing.pid, 0)  # nobody plays on


@pytest.mark.parametrize(
    "wrong",
    [
        *(["--policy", "best"], ["--agents", "0"], ["--answer", "30"], ["--talk", "0"], ["--days", "0"]),
        *(["--answer", "0"], ["--ceiling", "0"], ["--days", "1000000000"]),
        *(["--then", "noon"], ["--then", "nan:0.2"], ["--then", "9:0.2"]),
        *(["--talk", "nan"], ["--ring", "1e-9"], ["--hours", "inf"], ["--spread", "30"]),  # would play for ever
    ],
)
def test_a_wrong_question_is_told(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialer", "simulate", *wrong]) == 2
    assert "hotline dialer simulate: " in capsys.readouterr().err
