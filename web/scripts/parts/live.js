// The live stream. It tells kind and id of what changed, never data. Where it is now travels with the page, so
// what happened between making the page and listening is not missed.
//
// A browser allows few connections to one host: a page in a hidden tab lets go of its stream after a while, unless
// it says that it must always hear (the agent's page).
const PATIENCE = 30000;

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
      this.#show("off");
      // the browser reconnects by itself unless the answer was a refusal
      if (source.readyState === EventSource.CLOSED) this.#timer = setTimeout(() => this.#open(), 5000);
    };
    source.addEventListener("signed_out", () => {
      source.close();
      this.#show("out");
    });
    this.#source = source;
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
    const words = { on: "", off: "Reconnecting …", out: "Signed out" };
    const place = document.getElementById("live-state");
    if (place) place.textContent = words[state];
  }
}
