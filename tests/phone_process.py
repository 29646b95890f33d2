"""One SIP phone in a process of its own: PJSUA2 behind JSON lines on stdin (orders) and stdout (what happened).

A process each, because PJSUA2 is one library instance with global state, and because it is under the GPL: nothing of
the product imports it. `phone.py` is the other end. All audio is 8 kHz, 16 bit, mono."""

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

import pjsua2 as pj

TICK_MS = 10


# Events go out on a copy of stdout: PJSUA2 itself writes to the original.
_EVENTS = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")


def tell(what: str, **more: Any) -> None:
    _EVENTS.write(json.dumps({"is": what, **more}) + "\n")


class PhoneCall(pj.Call):
    """One call. Everything heard goes to `record`; the far end hears `player` while there is one."""

    def __init__(self, account: pj.Account, call_id: int, record: Path) -> None:
        super().__init__(account, call_id)
        self.record = record
        self.recorder: pj.AudioMediaRecorder | None = None
        self.player: Player | None = None
        self.over: dict[str, Any] = {}

    def onCallState(self, prm: pj.OnCallStateParam) -> None:
        info = self.getInfo()
        if info.state == pj.PJSIP_INV_STATE_EARLY:
            tell("progress", code=int(info.lastStatusCode))
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            tell("talking", record=str(self.record))
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.over = {"code": int(info.lastStatusCode), "reason": info.lastReason}

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:
        heard = self.audio()
        if heard is None:
            return
        if self.recorder is None:
            self.recorder = pj.AudioMediaRecorder()
            self.recorder.createRecorder(str(self.record))
        heard.startTransmit(self.recorder)
        if self.player is not None:
            self.player.startTransmit(heard)
        tell("media", record=str(self.record))

    def onDtmfDigit(self, prm: pj.OnDtmfDigitParam) -> None:
        tell("digit", digit=prm.digit)

    def audio(self) -> pj.AudioMedia | None:
        info = self.getInfo()  # it owns what its `media` points to
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status in (
                pj.PJSUA_CALL_MEDIA_ACTIVE,
                pj.PJSUA_CALL_MEDIA_REMOTE_HOLD,
            ):
                return self.getAudioMedia(index)
        return None

    def release(self) -> None:
        """Give the ports back; PJSUA2 crashes at its end when they outlive it."""
        self.recorder = None
        self.player = None


class Player(pj.AudioMediaPlayer):
    def onEof2(self) -> None:
        tell("spoken")


class PhoneAccount(pj.Account):
    def __init__(self, phone: "PhoneProcess") -> None:
        super().__init__()
        self.phone = phone

    def onRegState(self, prm: pj.OnRegStateParam) -> None:
        tell("registered" if self.getInfo().regIsActive else "unregistered", code=int(prm.code))

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:
        self.phone.take_incoming(prm.callId)


class PhoneProcess:
    """The phone: one account, one call at a time."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.calls: list[PhoneCall] = []
        self.reply_at_once = 180
        self.orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.endpoint = pj.Endpoint()
        self.account = PhoneAccount(self)

    def start(self) -> None:
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.userAgent = "test phone"
        config.uaConfig.maxCalls = 4
        config.logConfig.level = config.logConfig.consoleLevel = int(os.environ.get("PHONE_LOG", "0"))
        media = config.medConfig
        media.clockRate = media.sndClockRate = 8000
        media.channelCount = 1
        media.noVad = True
        media.ecTailLen = 0
        media.quality = 3
        self.endpoint.libCreate()
        self.endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.boundAddress = transport.publicAddress = self.settings["address"]
        transport.port = self.settings.get("port", 0)
        self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        self.endpoint.libStart()
        self.endpoint.audDevManager().setNullDev()
        for codec in self.endpoint.codecEnum2():
            wanted = {"PCMU/8000/1": 255, "PCMA/8000/1": 254}.get(codec.codecId, 0)
            self.endpoint.codecSetPriority(codec.codecId, wanted)
        self.account.create(self._account())
        tell("ready")

    def _account(self) -> pj.AccountConfig:
        config = pj.AccountConfig()
        config.idUri = self.settings["identity"]
        if self.settings["register"]:
            config.regConfig.registrarUri = f"sip:{self.settings['server']}"
            config.regConfig.timeoutSec = 120
        if self.settings["secret"]:
            config.sipConfig.authCreds.append(
                pj.AuthCredInfo("digest", "*", self.settings["username"], 0, self.settings["secret"])
            )
        config.mediaConfig.transportConfig.boundAddress = self.settings["address"]
        config.mediaConfig.transportConfig.publicAddress = self.settings["address"]
        config.mediaConfig.transportConfig.port = self.settings["rtp_port"]
        config.mediaConfig.transportConfig.portRange = 20
        config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_INACTIVE
        config.natConfig.contactRewriteUse = 0
        config.natConfig.viaRewriteUse = 0
        return config

    def serve(self) -> None:
        """Work until stdin ends."""
        threading.Thread(target=self._read_orders, daemon=True).start()
        while True:
            self.endpoint.libHandleEvents(TICK_MS)
            self._forget_what_is_over()
            while not self.orders.empty():
                order = self.orders.get()
                if order is None:
                    return
                try:
                    self._obey(order)
                except (pj.Error, LookupError) as error:
                    text = error.info() if isinstance(error, pj.Error) else str(error)
                    tell("failed", order=order["do"], text=text)

    def _read_orders(self) -> None:
        for line in sys.stdin:
            self.orders.put(json.loads(line))
        self.orders.put(None)

    def _forget_what_is_over(self) -> None:
        self.calls = [call for call in self.calls if not self._is_over(call)]

    @staticmethod
    def _is_over(call: PhoneCall) -> bool:
        if call.over:
            # first the end of the recording, then the news
            call.release()
            tell("ended", **call.over)
        return bool(call.over)

    def _next_record(self) -> Path:
        self.settings["calls"] = self.settings.get("calls", 0) + 1
        return Path(self.settings["folder"]) / f"heard-{self.settings['calls']}.wav"

    def take_incoming(self, call_id: int) -> None:
        self._forget_what_is_over()  # its end may have come in the same turn
        call = PhoneCall(self.account, call_id, self._next_record())
        self.calls.append(call)
        busy = len(self.calls) > 1
        if not busy:
            info = call.getInfo()
            tell("incoming", caller=info.remoteUri, code=self.reply_at_once)
        reply = 486 if busy else self.reply_at_once
        if reply:
            call.answer(_with_code(reply))

    def _obey(self, order: dict[str, Any]) -> None:
        match order["do"]:
            case "dial":
                call = PhoneCall(self.account, pj.PJSUA_INVALID_ID, self._next_record())
                self.calls.append(call)
                options = pj.CallOpParam(True)
                for name, value in order["headers"].items():
                    header = pj.SipHeader()
                    header.hName, header.hValue = name, value
                    options.txOption.headers.append(header)
                call.makeCall(order["uri"], options)
            case "answer":
                self._call().answer(_with_code(order["code"]))
            case "reply":
                self.reply_at_once = order["code"]
                tell("replying", code=order["code"])
            case "hang up":
                self._call().hangup(_with_code(order.get("code", 0)))
            case "press":
                self._call().dialDtmf(order["keys"])
            case "speak":
                self._speak(self._call(), order["wav"])
            case unknown:
                raise LookupError(f"no such order: {unknown}")

    def _call(self) -> PhoneCall:
        if not self.calls:
            raise LookupError("there is no call")
        return self.calls[0]

    @staticmethod
    def _speak(call: PhoneCall, wav: str) -> None:
        player = Player()
        player.createPlayer(wav, pj.PJMEDIA_FILE_NO_LOOP)
        call.player = player
        heard = call.audio()
        if heard is None:
            raise LookupError("the call has no audio yet")
        player.startTransmit(heard)

    def stop(self) -> None:
        self.endpoint.hangupAllCalls()
        for _ in range(300):  # a call that is given up before its end takes the process with it
            self.endpoint.libHandleEvents(TICK_MS)
            self._forget_what_is_over()
            if not self.calls:
                break
        for call in self.calls:
            call.release()
        self.calls.clear()
        if self.settings["register"] and self.account.getInfo().regIsActive:
            self.account.setRegistration(False)
            for _ in range(50):
                self.endpoint.libHandleEvents(TICK_MS)
                if not self.account.getInfo().regIsActive:
                    break
        self.endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)


def _with_code(code: int) -> pj.CallOpParam:
    options = pj.CallOpParam(True)
    options.statusCode = code
    return options


def main() -> None:
    phone = PhoneProcess(json.loads(sys.stdin.readline()))
    try:
        phone.start()
    except pj.Error as error:
        tell("failed", order="start", text=error.info())
        raise SystemExit(1) from None
    phone.serve()
    phone.stop()


if __name__ == "__main__":
    main()
