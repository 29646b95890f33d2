"""What the console is told about the site and, in the demo, about its people."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from hotline import demo, numbering
from hotline.care_wiring import clocks
from hotline.page_settings import netloc
from hotline.settings import Settings
from hotline.wiring import zone
from web import ports


def site_facts(settings: Settings) -> ports.SiteFacts:
    host = netloc(settings.web.bind, settings.web.port)
    return ports.SiteFacts(
        name=settings.site.name,
        zone=zone(settings),
        hosts=frozenset({host, f"localhost:{settings.web.port}", *_by_name(settings)}),
        sip_socket=f"ws://{settings.address}:{numbering.ASTERISK_HTTP_PORT}/ws",
        languages=settings.site.languages,
        hotline_number=numbering.HOTLINE_EXTENSION,
        emergency_number=settings.site.emergency_number,
        tls=settings.web.tls,
        demo=settings.demo,
        predictive=settings.calling.predictive,
        country=settings.site.country_code,
        red_flag=timedelta(minutes=settings.cases.red_flag_minutes),
        clocks=clocks(settings),
        demo_passwords=demo.PASSWORDS if settings.demo else {},
    )


def _by_name(settings: Settings) -> tuple[str, ...]:
    """The names under which browsers, and a gateway from outside, reach the console."""
    twilio = settings.messages.twilio
    urls = (settings.web.url, *((twilio.reports_url, twilio.replies_url) if twilio else ()))
    return tuple(urlsplit(url).netloc for url in urls if url)


def demo_patients(settings: Settings, sip: Mapping[str, str]) -> dict[str, ports.DemoPatient]:
    if not settings.demo:
        return {}
    return {
        a.username: ports.DemoPatient(
            line=ports.Line(a.username, a.person, sip[a.username]),
            number=a.number,
            language=a.language,
            story=demo.STORIES[a.username],
        )
        for a in numbering.DEMO_PATIENTS
    }
