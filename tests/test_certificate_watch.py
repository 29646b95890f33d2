"""A certificate that is renewed while the console runs: new connections get it, a bad pair changes nothing."""

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from cryptography.hazmat.primitives import serialization
from starlette.applications import Starlette

from hotline import certificate_watch
from hotline.certificate_watch import CertificateWatch
from hotline.places import Places
from tests.asterisk_instance import free_address, network
from tests.certificates import Kind, write_pair
from tests.house import real_house
from tests.test_supervisor import hotline

PEM = serialization.Encoding.PEM


async def served(address: str, port: int) -> str:
    """The certificate that a new connection is shown, in PEM."""
    return await asyncio.to_thread(ssl.get_server_certificate, (address, port))


@asynccontextmanager
async def page(certificate: Path, key: Path) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """A real page over TLS, as the console has it: its port and context."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(Starlette(), ssl_certfile=certificate, ssl_keyfile=key, log_config=None)
        config.load()
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 (it is uvicorn's own sign)
            await asyncio.sleep(0.01)
        assert isinstance(config.ssl, ssl.SSLContext)
        try:
            yield listening.getsockname()[1], config.ssl
        finally:
            server.should_exit = True
            await serving


async def served_by_name(port: int) -> str:
    """What who asks for the page by a name is shown: an address is not told in the handshake (RFC 6066 section 3)."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="hotline.example.org")
    shown: ssl.SSLObject = writer.get_extra_info("ssl_object")
    found = shown.getpeercert(binary_form=True)
    writer.close()
    assert found is not None
    return ssl.DER_cert_to_PEM_cert(found)


@pytest.mark.parametrize(("before", "after"), [("ec", "ec"), ("ec", "rsa"), ("rsa", "ec")])
async def test_a_new_connection_gets_the_renewed_certificate(
    before: Kind, after: Kind, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    at = datetime.now(UTC)
    certificate, key = write_pair(tmp_path, "127.0.0.1", days=60, kind=before)
    async with page(certificate, key) as (port, context):
        watch = CertificateWatch(context, certificate, key, Places(tmp_path), lambda: at)
        await watch.look()
        old = certificate.read_text()
        believes = ssl.create_default_context(cadata=old)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=believes)
        write_pair(tmp_path, "127.0.0.1", days=90, kind=after)
        assert await served("127.0.0.1", port) == await served_by_name(port) == old
        await watch.look()
        assert await served("127.0.0.1", port) == certificate.read_text() != old
        assert await served_by_name(port) == certificate.read_text()
        assert "a new certificate, which holds until" in caplog.text
        writer.write(b"GET / HTTP/1.1\r\nHost: hotline\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 404"), "an open connection goes on"
        writer.close()


@pytest.mark.parametrize("spoils", ["half a certificate", "another key", "no certificate", "a key with a password"])
async def test_a_bad_pair_changes_nothing_and_is_said_once(
    spoils: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    at = datetime.now(UTC)
    here = Places(tmp_path)
    certificate, key = write_pair(tmp_path, "127.0.0.1", days=60)
    async with page(certificate, key) as (port, context):
        watch = CertificateWatch(context, certificate, key, here, lambda: at)
        await watch.look()
        old = certificate.read_text()
        good = certificate.read_bytes(), key.read_bytes()
        match spoils:
            case "half a certificate":
                certificate.write_bytes(good[0][: len(good[0]) // 2])
            case "another key":
                write_pair(tmp_path, "127.0.0.1")
                certificate.write_bytes(good[0])
            case "no certificate":
                certificate.unlink()
            case _:
                found = serialization.load_pem_private_key(good[1], None)
                locked = serialization.BestAvailableEncryption(b"dolphin")
                key.write_bytes(found.private_bytes(PEM, serialization.PrivateFormat.PKCS8, locked))
        for _ in range(3):
            await watch.look()
        assert await served("127.0.0.1", port) == old
        assert caplog.text.count("are not taken") == 1
        assert "the files are not taken" in certificate_watch.told(certificate_watch.last(here), at)
        certificate.write_bytes(good[0])
        key.write_bytes(good[1])
        await watch.look()
        assert certificate_watch.told(certificate_watch.last(here), at).startswith("holds until")


async def test_it_warns_once_a_day_from_two_weeks_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    at = start = datetime.now(UTC)
    here = Places(tmp_path)
    certificate, key = write_pair(tmp_path, "127.0.0.1", days=15.5)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    watch = CertificateWatch(context, certificate, key, here, lambda: at)
    warned = []
    for hours in (0, 24, 35, 37, 61, 15 * 24 + 13):
        at = start + timedelta(hours=hours)
        caplog.clear()
        await watch.look()
        warned.append([record.levelno for record in caplog.records] == [logging.WARNING])
    assert warned == [False, False, False, True, True, True]
    assert "EXPIRED on" in caplog.text
    assert "EXPIRED on" in certificate_watch.told(certificate_watch.last(here), at)


@pytest.mark.asterisk
async def test_a_house_takes_a_renewed_certificate_and_its_status_tells(tmp_path: Path) -> None:
    address = free_address()
    certificate, key = write_pair(tmp_path, address, days=5)
    web = f'[web]\nbind = "{address}"\ncertificate = "{certificate}"\nkey = "{key}"\n'
    house = real_house(tmp_path, f"{network()}.90", web)
    house.address, house.environment["HOTLINE_ADDRESS"], house.environment["HOTLINE_WEB__BIND"] = (address,) * 3
    house.start()
    try:
        old = certificate.read_text()
        assert await served(address, 8000) == old
        await house.until("it warns", lambda: "expires on" in (house.here.log / "core.log").read_text())
        shown = hotline(house, "status").stdout
        assert "TLS        the console's certificate expires on" in shown
        assert "in 4 days" in shown
        write_pair(tmp_path, address, days=90)
        deadline = asyncio.get_running_loop().time() + certificate_watch.EVERY_S + 10
        while await served(address, 8000) == old:
            assert asyncio.get_running_loop().time() < deadline, "the old one is still served"
            await asyncio.sleep(0.2)
        assert await served(address, 8000) == certificate.read_text()
        state = json.loads(hotline(house, "status", "--json").stdout)
        assert state["certificate"]["expires"] > datetime.now(UTC).timestamp() + 80 * 24 * 3600
        assert "TLS        holds until" in hotline(house, "status").stdout
    finally:
        house.stop()
