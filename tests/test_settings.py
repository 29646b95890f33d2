"""hotline.toml: whole or not at all, and what is wrong is told so that it can be put right."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pydantic
import pytest

from hospital.calling_hours import may_call
from hotline import settings_file
from hotline.console_facts import site_facts
from hotline.settings import Settings
from hotline.settings_file import DEMO, SECRETS, SettingsRefused, build, load
from hotline.wiring import calling_policy

TWILIO = {"account_sid": "AC" + "0" * 32, "user": "SK1", "secret": "s", "sender": "+573015550100"}
EXAMPLE = Path(__file__).parent.parent / "hotline.toml.example"


def site(**changes: object) -> dict[str, Any]:
    """A real site's settings, with changes to [site]."""
    return {
        "site": {
            "name": "Hospital San Rafael",
            "emergency_number": "123",
            "time_zone": "America/Bogota",
            "country": "co",
            **changes,
        }
    }


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(SettingsRefused) as refused:
        build(values)
    return str(refused.value)


def test_the_shipped_example_is_valid(tmp_path: Path) -> None:
    copied = tmp_path / "hotline.toml"
    copied.write_text(EXAMPLE.read_text())
    loaded = load(copied)
    assert not loaded.demo


def every_key(model: type[pydantic.BaseModel], table: str = "") -> Iterator[tuple[str, str]]:
    """Table and key, as a file has them."""
    for name, field in model.model_fields.items():
        kinds = (field.annotation, *get_args(field.annotation))
        inner = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)]
        if inner:
            yield from every_key(inner[0], f"{table}.{name}".lstrip("."))
        else:
            yield table, name


def test_the_shipped_example_names_every_key_and_no_other() -> None:
    named, table = set(), ""
    for line in EXAMPLE.read_text().splitlines():
        if begins := re.fullmatch(r"(?:# )?\[([a-z.]+)\]", line):
            table = begins[1]
        elif key := re.match(r"(?:# )?([a-z0-9_]+) = ", line):
            named.add((table, key[1]))
    for variable in re.findall(r"\bHOTLINE_([A-Z_]+)", EXAMPLE.read_text()):  # what belongs into the environment alone
        *tables, key = variable.lower().split("__")
        named.add((".".join(tables), key))
    assert named == set(every_key(Settings)) - {("", "demo")}, "the demo is what runs without a file"


def test_without_a_file_the_demo_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOTLINE_SETTINGS", raising=False)
    assert load().demo
    assert load().calling.per_day is None


def test_a_named_file_that_is_missing_is_not_replaced_by_the_demo(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match=r"hospital\.toml isn't there"):
        load(tmp_path / "hospital.toml")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (site(time_zone="Mars"), "site.time_zone = 'Mars': allowed: a time zone"),
        (site(languages=["en", "fr"]), "site.languages.1 = 'fr': allowed: en, es, pt-BR, zh-CN, mi"),
        (site(languages=["es"]), "default_language en must be one of"),
        (site(languages=["en", "en"]), "names one language twice"),
        ({"site": 5}, "site: a table is expected: [site]"),
        (site(name="x" * 5000), "site.name = '" + "x" * 99 + " …: String should have at most 100"),
        ({**site(), "calling": {"window": "mars"}}, "calling.window = 'mars': Input should be 'au'"),
        ({**site(), "database": {"url": "mysql://a:b@c/d"}}, "database.url: allowed: postgresql+psycopg://"),
        (site(nmae="x"), "site.nmae: there is no such key"),
        ({}, "site: missing"),
        ({**site(), "web": {"port": 80}}, "web.port = 80: Input should be greater than or equal to 1024"),
        ({**site(), "address": "here"}, "address = 'here': allowed: an IPv4 address"),
        ({**site(), "calling": {"hours": {"mon": ["12:00-08:00"]}}}, "calling.hours.mon.0 = '12:00-08:00': allowed"),
        ({**site(), "messages": {"gateway": "pigeon"}}, "messages.gateway = 'pigeon'"),
        ({**site(), "messages": {"gateway": "twilio"}}, "give both or none"),
        ({**site(), "messages": {"twilio": {**TWILIO, "reports_url": "http://a/messages/reports"}}}, "reports_url"),
        ({**site(), "messages": {"twilio": {**TWILIO, "auth_token": "t"}}}, "reports_url and messages.twilio.auth"),
        ({**DEMO, "messages": {"gateway": "twilio", "twilio": TWILIO}}, "the demo sends no messages"),
        ({**site(), "calling": {"window": "open"}}, "for the demo only"),
        ({**site(), "identity": {"by": ["shoe_size"]}}, "identity.by.0 = 'shoe_size': Input should be 'birth_date'"),
        ({**site(), "identity": {"by": []}}, "identity.by"),
        ({**site(), "identity": {"by": ["pin", "pin"]}}, "names one identifier twice"),
        (
            {**site(), "identity": {"by": ["document_last4", "pin"]}},
            "needs one by which a record is found: birth_date,",
        ),
        ({**site(), "calling": {"per_day": None}}, "in the demo only"),
        ({**site(), "trunk": {"host": "a b", "caller_id": "600"}}, "trunk.host = 'a b'"),
        ({**site(), "trunk": {"host": "a", "caller_id": "600", "from_user": "a;b"}}, "trunk.from_user"),
        ({**site(), "trunk": {"host": "a", "caller_id": "600", "allow": ["_X.\nexten"]}}, "trunk.allow.0"),
        ({**site(), "voices": {"names": {"es": "pf_dora"}}}, "voices.names.es 'pf_dora'; allowed: ef_dora, em_alex"),
        ({**site(), "voices": {"names": {"mi": "ef_dora"}}}, "allowed: none, for no voice speaks it well enough"),
    ],
)
def test_a_wrong_value_is_told_with_its_key_and_what_is_allowed(values: dict[str, Any], told: str) -> None:
    assert told in refusal(values)
    assert "nothing was started" in refusal(values)


def test_every_wrong_key_is_told_at_once() -> None:
    said = refusal(site(time_zone="Mars", country="xx", languages=["fr"]))
    assert [line.split()[0] for line in said.splitlines()[1:]] == ["site.time_zone", "site.country", "site.languages.0"]


@pytest.mark.covers("I7")
def test_a_password_is_never_told() -> None:
    trunk = {"host": "sip.example.org", "caller_id": "600", "password": ["s3cret-canary"]}
    assert "canary" not in refusal({**site(), "trunk": trunk})
    whole = build({**site(), "trunk": {**trunk, "password": "s3cret-canary"}})
    assert "canary" not in repr(whole)


@pytest.mark.covers("I7")
def test_a_file_with_a_password_must_be_private(tmp_path: Path) -> None:
    file = tmp_path / "hotline.toml"
    file.write_text(EXAMPLE.read_text() + '\n[trunk]\nhost = "sip.example.org"\ncaller_id = "600"\npassword = "p4ss"\n')
    file.chmod(0o644)
    with pytest.raises(SettingsRefused, match="chmod 600") as refused:
        load(file)
    assert "p4ss" not in str(refused.value)
    file.chmod(0o600)
    assert load(file).trunk is not None


@pytest.mark.covers("I7")
@pytest.mark.parametrize(
    ("table", "key"),
    [("trunk", "password"), ("database", "url"), ("messages.twilio", "secret"), ("messages.twilio", "auth_token")],
)
def test_no_secret_of_any_table_is_told_or_read_by_others(tmp_path: Path, table: str, key: str) -> None:
    file = tmp_path / "hotline.toml"
    file.write_text(f'[{table}]\n{key} = ["s3cret-canary"]\n')
    file.chmod(0o644)
    with pytest.raises(SettingsRefused, match="chmod 600") as refused:
        load(file)
    variable = f"HOTLINE_{table}__{key}".replace(".", "__").upper()
    assert f"({table}.{key})" in str(refused.value) and variable in str(refused.value)
    file.chmod(0o600)
    with pytest.raises(SettingsRefused, match=f"{table}.{key}: ") as wrong:
        load(file)
    assert "canary" not in str(refused.value) + str(wrong.value)


def test_a_table_that_is_none_is_told_with_its_key(tmp_path: Path) -> None:
    file = tmp_path / "hotline.toml"
    file.write_text('trunk = "sip.example.org"\n')
    with pytest.raises(SettingsRefused, match=r"trunk: a table is expected: \[trunk\]"):
        load(file)


def test_every_secret_is_known() -> None:
    """By its name, whatever its type: a password that is plain text would be shown in an error."""
    named = {
        f"{table}.{name}" for table, name in every_key(Settings) if re.search("password|secret|token|credential", name)
    }
    assert named == set(SECRETS) - {"database.url"}


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "hotline.toml"
    file.write_text("[site\n")
    with pytest.raises(SettingsRefused, match=r"not valid TOML.*line 1"):
        load(file)


def test_a_file_that_is_no_text_or_no_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "hotline.toml"
    file.write_bytes(EXAMPLE.read_text().encode("utf-16"))
    with pytest.raises(SettingsRefused, match="not UTF-8 at byte 0: save the file as UTF-8"):
        load(file)
    with pytest.raises(SettingsRefused, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_file_of_a_windows_editor_is_read(tmp_path: Path) -> None:
    file = tmp_path / "hotline.toml"
    file.write_bytes(b"\xef\xbb\xbf" + EXAMPLE.read_text().replace("\n", "\r\n").encode())
    assert load(file).site.country == "co"


def test_a_table_in_the_environment_that_is_no_json_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_SITE", "{name")
    assert '"site"' in refusal(site())


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_SITE__NAME", "Otra Casa")
    monkeypatch.setenv("HOTLINE_WEB__PORT", "8001")
    changed = build(site())
    assert (changed.site.name, changed.web.port, changed.site.country) == ("Otra Casa", 8001, "co")


def test_telephones_are_reached_by_ipv4_and_pages_by_either() -> None:
    assert "address = '::1': allowed: an IPv4 address" in refusal({**site(), "address": "::1"})
    assert build({**site(), "web": {"bind": "::1"}}).console_url == "http://[::1]:8000"


@pytest.mark.parametrize("change", [{"address": "192.0.2.1"}, {"web": {"bind": "192.0.2.1"}}])
def test_the_demo_lives_on_loopback_only(change: dict[str, Any]) -> None:
    assert "must be a loopback address" in refusal({**DEMO, **change})


@pytest.mark.parametrize(
    ("web", "shown", "host"),
    [
        ({}, "http://127.0.0.1:8000", "127.0.0.1:8000"),
        ({"url": "https://hotline.example.org"}, "https://hotline.example.org", "hotline.example.org"),
        ({"url": "https://Hotline.example.org:8443/"}, "https://hotline.example.org:8443", "hotline.example.org:8443"),
    ],
)
def test_the_console_is_reached_by_the_name_that_the_site_gives_it(web: dict[str, Any], shown: str, host: str) -> None:
    settings = build({**site(), "web": web})
    facts = site_facts(settings)
    assert settings.console_url == shown and host in facts.hosts
    assert facts.tls == shown.startswith("https")


@pytest.mark.parametrize("web", [{"url": "https://hotline.example.org"}, {"proxy": "127.0.0.1"}])
def test_the_demo_is_behind_no_proxy(web: dict[str, Any]) -> None:
    assert "remove web.url and web.proxy" in refusal({**DEMO, "web": web})


def test_the_demo_never_reaches_the_telephone_network() -> None:
    assert "remove [trunk]" in refusal({**DEMO, "trunk": {"host": "sip.example.org", "caller_id": "600"}})


def test_settings_do_not_change_while_it_runs() -> None:
    settings = build(site())
    with pytest.raises(pydantic.ValidationError):
        settings.site.name = "x"
    assert settings_file.build(site()) == settings


@pytest.mark.covers("I4")
@pytest.mark.parametrize(
    ("country", "calling", "on_holidays"),
    [
        ("co", {}, False),
        ("co", {"hours": {"tue": ["08:00-12:00"]}}, False),  # hours of its own are no leave to call on a holiday
        ("co", {"hours": {"tue": ["08:00-12:00"]}, "public_holidays": True}, True),
        ("mx", {}, True),
        ("mx", {"window": "co"}, False),  # the strictest hours, and Mexico's own holidays
        ("mx", {"public_holidays": False}, False),
    ],
)
def test_whether_a_site_calls_on_public_holidays(country: str, calling: dict[str, Any], on_holidays: bool) -> None:
    policy = calling_policy(build({**site(country=country), "calling": calling}))
    holiday = {"co": datetime(2026, 12, 8, 15, tzinfo=UTC), "mx": datetime(2026, 9, 16, 18, tzinfo=UTC)}[country]
    assert policy.country == policy.window.country == country.upper()
    assert may_call(holiday, policy.window, policy.zone).allowed == on_holidays


def test_the_trunks_lines_reach_every_claim() -> None:
    trunk = {"host": "sip.example.org", "caller_id": "+576015550100", "lines": 30}
    assert calling_policy(build(site() | {"trunk": trunk})).trunk_lines == 30
    assert calling_policy(build(site() | {"trunk": {**trunk, "lines": None}})).trunk_lines is None
    assert calling_policy(build(site())).trunk_lines is None
    assert "trunk.lines" in refusal(site() | {"trunk": {**trunk, "lines": 0}})
