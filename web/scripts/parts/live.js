// The live stream. It tells kind and id of what changed, never data. Where it is now travels with the page, so
// what happened between making the page and listening is not missed.
//
// A browser allows few connections to one host: a page in a hidden tab lets go of its stream after a while, unless
// it says that it must always hear (the agent's page).
import { whoIsHere } from "./session.js";

const PATIENCE = 30000;
const AGAIN = 5000;
const WORDS = { on: "", away: "Reconnecting …", out: "Signed out", other: "Somebody else is signed in" };

export class Live {
  #source = null;
  #position;
  #timer;
  #hear;

  constructor(position, hear) {
    this.#position = position;
    this.#hear = hear;
    document.addEventListener("visibilitychange", () => this.#seen());
    this.#open();
  }

  #open() {
    clearTimeout(this.#timer);
    if (this.#source && this.#source.readyState !== EventSource.CLOSED) return;
    const source = new EventSource(`/live?after=${encodeURIComponent(this.#position)}`);
    source.onmessage = (event) => {
      this.#position = event.lastEventId || this.#position;
      this.#hear(JSON.parse(event.data));
    };
    source.onopen = () => this.#show("on");
    source.onerror = () => {
      // the browser reconnects by itself unless the answer was a refusal
      if (source.readyState === EventSource.CLOSED) this.#ask();
      else this.#show("away");
    };
    source.addEventListener("signed_out", () => {
      source.close();
      this.#ask();
    });
    this.#source = source;
  }

  // Until whoever this page was made for is signed in, again or still.
  async #ask() {
    const covered = this.#covered;
    const here = await whoIsHere();
    if (!covered || here !== "away") this.#show(here === "here" ? "away" : here);
    clearTimeout(this.#timer);
    if (here !== "here") this.#timer = setTimeout(() => this.#ask(), AGAIN);
    else if (covered) this.#open();
    else this.#timer = setTimeout(() => this.#open(), AGAIN);
  }

  get #covered() {
    return ["out", "other"].includes(document.documentElement.dataset.live);
  }

  #seen() {
    clearTimeout(this.#timer);
    if (!document.hidden) return this.#open();
    if (document.querySelector("[data-live-always]")) return;
    this.#timer = setTimeout(() => {
      this.#source?.close();
    }, PATIENCE);
  }

  #show(state) {
    document.documentElement.dataset.live = state;
    const place = document.getElementById("live-state");
    if (place) place.textContent = WORDS[state];
    if (!this.#covered) return;
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close(); // or the way back in cannot be reached
  }
}
