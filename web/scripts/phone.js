// The browser phone: registers, rings, answers, hangs up, mutes, sends keys. One call at a time.
//
//   <hotline-phone data-line="/phone/line" data-state="off">
//     … [data-part=state|peer] text, [data-do=answer|hangup|mute|dial] buttons, [data-digit="5"] keys …
//   </hotline-phone>
//
// Its looks are the page's: the element only moves data-state and fills the parts. The account's secret is fetched
// once a page load and lives in this module's memory only. A leg that the dialer opens for the nurse who asked for
// it (Call-Info: …;answer-after=0) is answered by itself, everything else rings.
import JsSIP from "jssip";
import { Ringer } from "./parts/ringer.js";
import { ask } from "./parts/request.js";

// state → what may follow it
const NEXT = {
  off: ["connecting"],
  connecting: ["ready", "off", "refused"],
  refused: ["connecting"],
  ready: ["ringing", "dialling", "connecting", "off"],
  dialling: ["talking", "ready", "connecting"],
  ringing: ["talking", "ready", "connecting"],
  talking: ["ready", "connecting"],
};

const WORDS = {
  off: "Phone off",
  connecting: "Connecting …",
  refused: "Phone refused",
  ready: "Ready",
  dialling: "Calling …",
  ringing: "Ringing",
  talking: "On a call",
};

const SOUND_WITHIN = 8000; // ms of a call; a network that lets no sound through is told from one that is slow
const NO_SOUND = "No sound: hang up, call again";

// what SIP says, as a sentence (RFC 3261 §21; JsSIP's causes)
const WHY = {
  [JsSIP.C.causes.BUSY]: "Busy.",
  [JsSIP.C.causes.REJECTED]: "The call was not taken.",
  [JsSIP.C.causes.NOT_FOUND]: "There is no such number.",
  [JsSIP.C.causes.UNAVAILABLE]: "Nobody can be reached there.",
  [JsSIP.C.causes.NO_ANSWER]: "Nobody answered.",
  [JsSIP.C.causes.USER_DENIED_MEDIA_ACCESS]: "The browser did not give the microphone. Allow it and call again.",
  [JsSIP.C.causes.CONNECTION_ERROR]: "The connection to the hotline was lost.",
};

class HotlinePhone extends HTMLElement {
  #agent = null;
  #call = null;
  #line = null;
  #connection = null;
  #since = 0;
  #clock = 0;
  #ringer = new Ringer();
  #audio = new Audio();

  connectedCallback() {
    if (this.#agent) return;
    this.addEventListener("click", (event) => this.#pressed(event));
    addEventListener("beforeunload", (event) => this.#call && event.preventDefault());
    // [data-dial="+57…"] anywhere on the page calls that number from this phone
    document.addEventListener("click", (event) => {
      const button = event.target.closest?.("[data-dial]");
      if (button) this.dial(button.dataset.dial);
    });
    addEventListener("pagehide", () => this.#agent?.stop());
    this.#audio.autoplay = true;
    this.#start();
  }

  get state() {
    return this.dataset.state;
  }

  // Moves to `state`; a move that is not in the table is a bug and says so.
  #become(state, sentence = "") {
    if (state === this.state && !sentence) return;
    if (state !== this.state && !NEXT[this.state].includes(state)) {
      throw new Error(`the phone cannot go from ${this.state} to ${state}`);
    }
    this.dataset.state = state;
    this.#say("state", sentence || WORDS[state]);
    this.#ringer[state === "ringing" ? "start" : "stop"]();
    clearInterval(this.#clock);
    if (state === "talking") {
      this.#since = Date.now();
      this.#clock = setInterval(() => this.#tick(), 500);
    }
    if (state !== "talking") this.#say("time", "");
    if (!["talking", "ringing", "dialling"].includes(state)) this.#say("peer", "");
    for (const button of this.querySelectorAll("[data-do]")) button.disabled = !this.#may(button.dataset.do);
    for (const key of this.querySelectorAll("[data-digit]")) key.disabled = state !== "talking";
    this.dispatchEvent(new CustomEvent("hotline:phone", { bubbles: true, detail: { state } }));
  }

  #tick() {
    const lasts = Date.now() - this.#since;
    this.#say("time", minutes(lasts));
    const deaf = lasts > SOUND_WITHIN && !this.#sounds();
    if (deaf !== this.hasAttribute("data-deaf")) {
      this.toggleAttribute("data-deaf", deaf);
      this.#say("state", deaf ? NO_SOUND : WORDS.talking);
    }
  }

  #sounds() {
    return this.#connection?.connectionState === "connected";
  }

  #may(action) {
    const when = {
      answer: ["ringing"],
      hangup: ["ringing", "dialling", "talking"],
      mute: ["talking"],
      dial: ["ready"],
      keypad: ["talking"],
    };
    return when[action]?.includes(this.state) ?? true;
  }

  #say(part, text) {
    for (const place of this.querySelectorAll(`[data-part=${part}]`)) place.textContent = text;
  }

  async #start() {
    this.#become("connecting");
    if (!navigator.mediaDevices) {
      this.#become("off", "The browser gives a microphone to https pages and to this machine only.");
      return;
    }
    try {
      const answer = await ask(this.dataset.line);
      if (answer.status === 404) return this.#become("off", "No phone for this account");
      if (!answer.ok) return this.#become("refused", "Phone refused: sign in again");
      this.#line = await answer.json();
    } catch {
      this.#become("off");
      setTimeout(() => this.#start(), 3000);
      return;
    }
    this.#register();
  }

  #register() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new JsSIP.WebSocketInterface(`${scheme}://${location.host}${this.#line.socket}`);
    const agent = new JsSIP.UA({
      sockets: [socket],
      uri: `sip:${this.#line.username}@${this.#line.domain}`,
      password: this.#line.secret,
      display_name: this.#line.name,
      register_expires: 120,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      user_agent: "hotline console",
    });
    agent.on("registered", () => this.state === "connecting" && this.#become("ready"));
    agent.on("registrationFailed", () => this.state === "connecting" && this.#say("state", "Phone not accepted yet …"));
    agent.on("disconnected", () => {
      if (this.state !== "connecting" && !this.#call) this.#become("connecting");
    });
    agent.on("newRTCSession", ({ session, originator, request }) => this.#take(session, originator, request));
    agent.start();
    this.#agent = agent;
  }

  #take(session, originator, request) {
    if (this.#call) {
      if (originator === "remote") session.terminate({ status_code: 486 });
      return;
    }
    this.#call = session;
    session.on("peerconnection", ({ peerconnection }) => this.#listen(peerconnection));
    if (session.connection) this.#listen(session.connection);
    session.on("confirmed", () => this.state !== "talking" && this.#become("talking"));
    session.on("ended", () => this.#over(""));
    session.on("failed", ({ cause, originator: by }) => {
      this.#over(by === "local" && cause === JsSIP.C.causes.CANCELED ? "" : (WHY[cause] ?? ""));
    });
    if (originator !== "remote") return;
    this.#say("peer", session.remote_identity.display_name || session.remote_identity.uri.user || "");
    this.#become("ringing");
    const asked = this.dataset.autoAnswer !== undefined;
    if (asked && /answer-after\s*=\s*0/.test(request.getHeader("Call-Info") ?? "")) this.answer();
  }

  #listen(connection) {
    this.#connection = connection;
    connection.addEventListener("track", (event) => {
      this.#audio.srcObject = event.streams[0] ?? new MediaStream([event.track]);
    });
  }

  #over(sentence) {
    this.#call = this.#connection = null;
    this.removeAttribute("data-deaf");
    this.#audio.srcObject = null;
    this.removeAttribute("data-muted");
    if (this.state === "connecting") return;
    this.#become(this.#agent.isRegistered() ? "ready" : "connecting", sentence);
    if (sentence) setTimeout(() => this.state === "ready" && this.#say("state", WORDS.ready), 5000);
  }

  #pressed(event) {
    const button = event.target.closest("button");
    if (!button || button.disabled) return;
    if (button.dataset.digit) this.press(button.dataset.digit);
    const actions = {
      answer: () => this.answer(),
      hangup: () => this.hangUp(),
      mute: () => this.mute(),
      dial: () => this.dial(button.dataset.number),
    };
    actions[button.dataset.do]?.();
  }

  answer() {
    if (this.state === "ringing") this.#call.answer({ mediaConstraints: { audio: true, video: false }, pcConfig: {} });
  }

  hangUp() {
    this.#call?.terminate();
  }

  dial(number) {
    if (this.state !== "ready") return;
    this.#become("dialling");
    this.#say("peer", number);
    this.#agent.call(`sip:${number}@${this.#line.domain}`, { mediaConstraints: { audio: true, video: false } });
  }

  // What the other side says, as a MediaStream; null outside of a call.
  heard() {
    return this.#audio.srcObject;
  }

  press(digit) {
    if (this.state !== "talking" || !this.#sounds()) return;
    this.#call.sendDTMF(digit, { transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833, duration: 120, interToneGap: 80 });
    this.#say("keyed", ((this.querySelector("[data-part=keyed]")?.textContent ?? "") + digit).slice(-16));
  }

  mute() {
    if (this.state !== "talking") return;
    const muted = !this.#call.isMuted().audio;
    this.#call[muted ? "mute" : "unmute"]({ audio: true });
    this.toggleAttribute("data-muted", muted);
    for (const button of this.querySelectorAll("[data-do=mute]")) button.setAttribute("aria-pressed", String(muted));
  }
}

function minutes(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

customElements.define("hotline-phone", HotlinePhone);
