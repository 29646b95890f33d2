"""The console as an ASGI application.

`create_app(services)` joins the pages, and refuses to make an application in which a route names nobody who may
enter. One file a page; `doors.py` guards them, `pages.py` renders them, `live.py` keeps them fresh."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from web import (
    agent,
    agent_booking,
    asking,
    audit_log,
    callbacks,
    campaign_lists,
    campaigns,
    cases,
    coverage,
    deaths,
    delivery_reports,
    discharge_list,
    doors,
    editions,
    enrolling,
    followup_address,
    followup_booking,
    followup_call,
    followup_consents,
    followup_flags,
    followup_form,
    followup_guardian,
    followup_list,
    followup_numbers,
    followup_orders,
    followup_plans,
    followup_video,
    followup_why,
    front_desk,
    groups,
    hearing,
    home,
    hours_sheet,
    information_sheet,
    interpreters,
    letters,
    lost_texts,
    menu_sheet,
    merging,
    opening,
    outcome_sheet,
    own_account,
    patient_texts,
    phone,
    presence,
    prompts,
    questionnaire_preview,
    questionnaires,
    questions,
    ratings,
    reach_alarms,
    reading,
    recordings,
    refusals,
    reminders,
    responses,
    rota,
    sessions,
    shifts,
    sign_in,
    staff_accounts,
    static_files,
    stints,
    stream,
    suspensions,
    text_replies,
    throttled,
    triage_sheet,
    waiting_screen,
    wording_sheet,
)
from web.chain_walk import ChainWalk
from web.headers import Headers
from web.limits import Limits
from web.pages import Pages
from web.ports import Services
from web.reading import Readings
from web.refusals import LastResort


@asynccontextmanager
async def _alive(app: FastAPI) -> AsyncIterator[None]:
    listening = asyncio.create_task(app.state.services.live.run(), name="live stream")
    yield
    await app.state.chain.stop()
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening


def create_app(services: Services) -> FastAPI:
    """The application. Run it with `uvicorn` (`timeout_graceful_shutdown`: the live streams never end by themselves).

    Raises RuntimeError where a route has no door."""
    rooms = (
        home.routes,
        sign_in.routes,
        sessions.routes,
        own_account.routes,
        staff_accounts.routes,
        stream.routes,
        presence.routes,
        phone.routes,
        patient_texts.routes,
        agent.routes,
        agent_booking.routes,
        interpreters.routes,
        callbacks.routes,
        cases.routes,
        front_desk.routes,
        waiting_screen.routes,
        deaths.routes,
        letters.routes,
        delivery_reports.routes,
        text_replies.routes,
        discharge_list.routes,
        reading.routes,
        enrolling.routes,
        merging.routes,
        followup_list.routes,
        followup_orders.routes,
        followup_numbers.routes,
        followup_address.routes,
        followup_consents.routes,
        followup_guardian.routes,
        followup_booking.routes,
        followup_plans.routes,
        followup_call.routes,
        followup_video.routes,
        followup_form.routes,
        followup_flags.routes,
        followup_why.routes,
        asking.routes,
        questions.routes,
        recordings.routes,
        ratings.routes,
        coverage.routes,
        responses.routes,
        opening.routes,
        suspensions.routes,
        campaign_lists.routes,
        reach_alarms.routes,
        campaigns.routes,
        stints.routes,
        groups.routes,
        hearing.routes,
        reminders.routes,
        lost_texts.routes,
        rota.routes,
        shifts.routes,
        throttled.routes,
        editions.routes,
        wording_sheet.routes,
        hours_sheet.routes,
        information_sheet.routes,
        menu_sheet.routes,
        outcome_sheet.routes,
        questionnaire_preview.routes,
        questionnaires.routes,
        triage_sheet.routes,
        prompts.routes,
        audit_log.routes,
        static_files.routes,
    )
    routes = [route for room in rooms for route in room.routes]
    bare = doors.without_a_door(routes)
    if bare:
        raise RuntimeError(f"these routes do not say who may enter: {', '.join(bare)}")
    # As they are: `include_router` would make each of them anew at the first request, and look twice at every one.
    app = FastAPI(
        title="Hospital hotline", routes=routes, openapi_url=None, docs_url=None, redoc_url=None, lifespan=_alive
    )
    app.state.routes = routes
    app.state.services = services
    app.state.readings = Readings()
    app.state.chain = ChainWalk(services.database, services.clock)
    app.state.pages = Pages(services.facts, lambda: services.live.position, services.scripts)
    refusals.install(app, app.state.pages)
    app.add_middleware(Limits)
    app.add_middleware(LastResort)
    app.add_middleware(Headers, hosts=services.facts.hosts, tls=services.facts.tls)
    return app
