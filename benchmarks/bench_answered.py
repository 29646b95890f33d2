"""From a patient's answer to the moment in which patient and waiting nurse are in one bridge.

    python -m benchmarks.bench_answered [--json]

Ours: the nurse's leg waits, and Asterisk's own dialplan bridges the leg that was answered to it. The peer: a bare AMI
client in this process hears of the answer and orders `Bridge`, as a dialer does that steers from outside; nothing else
keeps it busy. Both count from Asterisk's own time stamps, over real calls.
"""

import asyncio
import contextlib
import statistics
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks import table, whole_house
from benchmarks.table import Row
from hotline import numbering
from hotline.places import read_secrets
from tests.house import House
from tests.phone import Phone
from tests.raw_ami import Message, RawAmi

CALLS = 6
WITHIN_MS = 100.0  # a "hello?" is shorter


async def measure(house: House) -> list[Row]:
    ours: list[float] = []
    outside: list[float] = []
    async with (
        whole_house.timed_phone(house, "joao", 31) as joao,
        whole_house.timed_phone(house, "ana", 32) as ana,
        ami(house) as line,
    ):
        nurse = await waiting_nurse(line, ana)
        for _ in range(CALLS):
            ours.append(await by_the_dialplan(line, joao, nurse))
        await ana.hangs_up()
        await house.no_channels()
        for _ in range(CALLS):
            nurse = await waiting_nurse(line, ana)
            outside.append(await from_outside(line, joao, nurse))
            await ana.hangs_up()
            await house.no_channels()
    mine, theirs = statistics.median(ours), statistics.median(outside)
    return [
        Row("answer to nurse and patient joined", "Bridge ordered over AMI", mine, theirs, "ms", limit=WITHIN_MS),
        Row("the slowest of them", "Bridge ordered over AMI", max(ours), max(outside), "ms", limit=WITHIN_MS),
    ]


async def waiting_nurse(line: RawAmi, ana: Phone) -> Message:
    """Her leg is up and waits in silence: its OriginateResponse."""
    channel_id = await originate(line, "PJSIP/ana", "nurse-leg", "stint")
    await ana.rings()
    await ana.answers()
    return await line.event("OriginateResponse", Uniqueid=channel_id)


async def by_the_dialplan(line: RawAmi, joao: Phone, nurse: Message) -> float:
    patient = await originate(line, "PJSIP/joao", "dialer", "bridge", f"HL_NURSE={nurse['Channel']}")
    await joao.rings()
    await joao.answers()
    answered = await line.event("Newstate", Uniqueid=patient, ChannelStateDesc="Up")
    return await joined(line, joao, nurse, patient, answered)


async def from_outside(line: RawAmi, joao: Phone, nurse: Message) -> float:
    patient = await originate(line, "PJSIP/joao", "nurse-leg", "quiet")
    await joao.rings()
    await joao.answers()
    answered = await line.event("Newstate", Uniqueid=patient, ChannelStateDesc="Up")
    order = await line.action("Bridge", Channel1=answered["Channel"], Channel2=nurse["Channel"])
    assert order["Response"] == "Success", order
    return await joined(line, joao, nurse, patient, answered)


async def joined(line: RawAmi, joao: Phone, nurse: Message, patient: str, answered: Message) -> float:
    """Milliseconds from the answer until both are in the bridge; then the patient hangs up."""
    his = await line.event("BridgeEnter", Uniqueid=patient)
    hers = await line.event("BridgeEnter", Uniqueid=nurse["Uniqueid"], BridgeUniqueid=his["BridgeUniqueid"])
    await joao.hangs_up()
    await line.event("Hangup", Uniqueid=patient)
    return (max(float(his["Timestamp"]), float(hers["Timestamp"])) - float(answered["Timestamp"])) * 1000


async def originate(line: RawAmi, channel: str, context: str, exten: str, *variables: str) -> str:
    channel_id = f"n1-{uuid.uuid4().hex}"
    answer = await line.action(
        "Originate",
        Channel=channel,
        ChannelId=channel_id,
        Context=context,
        Exten=exten,
        Priority="1",
        Timeout="20000",
        Async="true",
        Variable=list(variables),
    )
    assert answer["Response"] == "Success", answer
    return channel_id


@asynccontextmanager
async def ami(house: House) -> AsyncIterator[RawAmi]:
    reader, writer = await asyncio.open_connection(house.address, numbering.AMI_PORT, limit=1 << 20)
    line = RawAmi(reader, writer)
    listening = asyncio.create_task(line.listen())
    try:
        await line.action("Login", Username=numbering.AMI_USER, Secret=read_secrets(house.here).ami)
        yield line
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        writer.close()


def main() -> int:
    with whole_house.running() as house:
        rows = asyncio.run(asyncio.wait_for(measure(house), whole_house.PATIENCE_S))
    return table.show(rows)


if __name__ == "__main__":
    sys.exit(main())
