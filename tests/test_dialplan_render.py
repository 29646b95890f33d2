"""The templates by themselves: what a plan refuses, and that nothing slips into a line."""

from dataclasses import replace
from typing import Any

import pytest

from dialplans import Account, Plan, PlanRefused, Trunk, render
from tests.asterisk_instance import demo_plan

PLAN = demo_plan("127.0.20.1")
HOSTILE = ["x\ny", "x\r\nexten => 1", "x;y", "x[y]", "x = y", "x,y", "${X}", "x y", "", "x" * 300]


def test_every_file_is_rendered_with_the_plans_values() -> None:
    files = render(PLAN)
    assert {"asterisk.conf", "extensions.conf", "pjsip.conf", "manager.conf", "queues.conf", "http.conf"} <= set(files)
    assert "systemname = n1\n" in files["asterisk.conf"]
    assert f"agi://127.0.20.1:4573/{PLAN.agi_secret}/inbound" in files["extensions.conf"]
    for account in PLAN.accounts:
        assert f"password = {account.secret}\n" in files["pjsip.conf"]
    for name, text in files.items():
        assert "{{" not in text, name
        assert "{%" not in text, name


def test_each_secret_is_in_one_file_only() -> None:
    files = render(PLAN)
    for secret, home in [(PLAN.agi_secret, "extensions.conf"), (PLAN.ami_secret, "manager.conf")]:
        assert [name for name, text in files.items() if secret in text] == [home]


def test_a_site_without_a_trunk_has_no_way_out() -> None:
    files = render(replace(PLAN, trunk=None, allowed_outside=()))
    assert "trunk" not in files["pjsip.conf"].partition("[udp]")[2]
    assert "@trunk" not in files["extensions.conf"]


def test_browser_phones_speak_webrtc_and_others_do_not() -> None:
    accounts = tuple(replace(account, browser=account.username == "mei") for account in PLAN.accounts)
    text = render(replace(PLAN, accounts=accounts))["pjsip.conf"]
    assert "[mei](browser-phone)" in text
    assert "[lucia](udp-phone)" in text


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["username", "secret", "context", "extension", "number", "language"])
def test_an_account_refuses_what_would_break_a_line(field: str, value: str) -> None:
    if field == "number" and value == "":
        pytest.skip("no number is allowed")
    good: dict[str, Any] = {
        "username": "ana",
        "secret": "a-good-secret-1",
        "context": "agents",
        "extension": "202",
        "number": "+12025550100",
        "language": "es",
    }
    with pytest.raises(PlanRefused, match=field) as refused:
        Account(**{**good, field: value})
    assert not value or value not in str(refused.value)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["address", "agi_secret", "ami_secret", "hotline_extension", "node", "ami_user"])
def test_a_plan_refuses_what_would_break_a_line(field: str, value: str) -> None:
    with pytest.raises(PlanRefused, match=field):
        replace(PLAN, **{field: value})


@pytest.mark.parametrize("value", [*HOSTILE, "_.", "_X!;", "X.", "_[a-z]."])
@pytest.mark.parametrize("field", ["queues", "languages", "emergency_numbers", "allowed_outside"])
def test_lists_refuse_it_too(field: str, value: str) -> None:
    with pytest.raises(PlanRefused, match=field):
        replace(PLAN, **{field: ("reception", value) if field == "queues" else (value,)})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"queues": ("nurses",)}, "reception"),
        ({"desk": "nobody"}, "desk"),
        ({"trunk": None}, "no trunk"),
        ({"sip_port": 0}, "0 is not a port"),
        ({"rtp_ports": (20499, 20000)}, "rtp_ports"),
        ({"languages": ()}, "languages"),
        ({"accounts": PLAN.accounts * 2}, "is there twice"),
        ({"hotline_extension": "201"}, "extension: 201 is there twice"),
    ],
)
def test_a_plan_that_cannot_work_says_why(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(PlanRefused, match=text):
        replace(PLAN, **changes)


def test_a_trunk_is_known_by_few_addresses() -> None:
    good = {"host": "sip.example.net", "numbers": ("6015550199",), "caller_id": "6015550199"}
    assert Trunk(sources=("192.0.2.16/28", "192.0.2.40"), **good)  # type: ignore[arg-type]
    for source in ("0.0.0.0/0", "192.0.2.0/24", "sip.example.net", "192.0.2.1;x"):
        with pytest.raises(PlanRefused, match="sources"):
            Trunk(sources=(source,), **good)  # type: ignore[arg-type]
    for hostile in [value for value in HOSTILE if value]:
        with pytest.raises(PlanRefused, match="from_user"):
            Trunk(sources=(), from_user=hostile, **good)  # type: ignore[arg-type]


def test_a_plan_is_a_value() -> None:
    assert render(PLAN) == render(replace(PLAN))
    assert isinstance(PLAN, Plan)
