// The player of a recording: a waveform to look at and to jump in, by mouse and keyboard.
//
//   <hotline-player data-src="/recordings/…/sound" data-peaks="/recordings/…/peaks" data-seconds="83.2">
//     [data-do=play] button, [data-part=wave] canvas in a [role=slider], [data-part=now] text, [data-do=speed] button
//   </hotline-player>
//
// Nothing is asked of the sound's address before the first "play": asking for it is a replay, and audited.
import { ask } from "./parts/request.js";

const SPEEDS = [1, 1.25, 1.5, 2, 0.75];

class HotlinePlayer extends HTMLElement {
  #audio = new Audio();
  #peaks = [];
  #frame = 0;

  connectedCallback() {
    this.#audio.preload = "none";
    this.slider = this.querySelector("[role=slider]");
    this.canvas = this.querySelector("[data-part=wave]");
    for (const event of ["play", "pause", "ended", "seeked", "loadedmetadata"]) {
      this.#audio.addEventListener(event, () => this.#show());
    }
    this.#audio.addEventListener("error", () => this.#failed());
    this.addEventListener("click", (event) => this.#pressed(event));
    this.slider.addEventListener("keydown", (event) => this.#key(event));
    this.slider.addEventListener("pointerdown", (event) => this.#pointed(event));
    new ResizeObserver(() => this.#draw()).observe(this.canvas);
    document.addEventListener("click", this.#sought);
    this.#loadPeaks();
    this.#show();
  }

  // a sentence of the transcript: [data-seek] holds where it begins, in seconds
  #sought = (event) => {
    const to = event.target.closest?.("[data-seek]")?.dataset.seek;
    if (to === undefined) return;
    this.seek(Number(to));
    if (this.dataset.state !== "playing") this.toggle();
  };

  disconnectedCallback() {
    cancelAnimationFrame(this.#frame);
    document.removeEventListener("click", this.#sought);
    this.#audio.pause();
    this.#audio.removeAttribute("src");
  }

  get seconds() {
    return Number(this.dataset.seconds);
  }

  get now() {
    return this.#audio.src ? this.#audio.currentTime : (this.wanted ?? 0);
  }

  async #loadPeaks() {
    try {
      const answer = await ask(this.dataset.peaks);
      if (answer.ok) this.#peaks = await answer.json();
    } catch {
      // without a waveform it is a plain bar, and plays all the same
    }
    this.#draw();
  }

  #pressed(event) {
    const action = event.target.closest("[data-do]")?.dataset.do;
    if (action === "play") this.toggle();
    if (action === "back") this.seek(this.now - 10);
    if (action === "forward") this.seek(this.now + 10);
    if (action === "speed") this.#faster(event.target.closest("[data-do]"));
  }

  toggle() {
    if (!this.#audio.src) {
      this.#audio.src = this.dataset.src;
      if (this.wanted) this.#audio.currentTime = this.wanted;
    }
    if (this.#audio.paused) this.#audio.play().catch(() => this.#failed());
    else this.#audio.pause();
  }

  seek(seconds) {
    const to = Math.min(Math.max(seconds, 0), this.seconds);
    if (this.#audio.src) this.#audio.currentTime = to;
    else this.wanted = to;
    this.#show();
  }

  #faster(button) {
    const next = SPEEDS[(SPEEDS.indexOf(this.#audio.playbackRate) + 1) % SPEEDS.length];
    this.#audio.playbackRate = next;
    button.firstChild.textContent = `${next}×`;
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const moves = {
      ArrowRight: () => this.seek(this.now + 5),
      ArrowLeft: () => this.seek(this.now - 5),
      ArrowUp: () => this.seek(this.now + 1),
      ArrowDown: () => this.seek(this.now - 1),
      PageUp: () => this.seek(this.now + 30),
      PageDown: () => this.seek(this.now - 30),
      Home: () => this.seek(0),
      End: () => this.seek(this.seconds),
      " ": () => this.toggle(),
      Enter: () => this.toggle(),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    moves[event.key]();
  }

  #pointed(event) {
    const box = this.canvas.getBoundingClientRect();
    const to = (at) => this.seek(((at.clientX - box.left) / box.width) * this.seconds);
    to(event);
    this.slider.setPointerCapture(event.pointerId);
    const move = (at) => to(at);
    this.slider.addEventListener("pointermove", move);
    this.slider.addEventListener("pointerup", () => this.slider.removeEventListener("pointermove", move), { once: true });
  }

  #show() {
    cancelAnimationFrame(this.#frame);
    const playing = !this.#audio.paused && !this.#audio.ended;
    this.dataset.state = playing ? "playing" : "paused";
    const button = this.querySelector("[data-do=play]");
    button.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.querySelector("[data-part=now]").textContent = clock(this.now);
    this.slider.setAttribute("aria-valuenow", this.now.toFixed(1));
    this.slider.setAttribute("aria-valuetext", `${clock(this.now)} of ${clock(this.seconds)}`);
    this.#draw();
    if (playing) this.#frame = requestAnimationFrame(() => this.#show());
  }

  #failed() {
    if (!this.#audio.src) return;
    this.dataset.state = "failed";
    this.querySelector("[data-part=now]").textContent = "The recording cannot be played.";
  }

  #draw() {
    const { canvas } = this;
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const look = getComputedStyle(this);
    const heard = (this.now / this.seconds) * width;
    const bars = Math.floor(width / 3);
    for (let bar = 0; bar < bars; bar += 1) {
      const loud = this.#loudest(bar, bars);
      const tall = Math.max(2, loud * (height - 4));
      pen.fillStyle = look.getPropertyValue(bar * 3 < heard ? "--wave-heard" : "--wave-ahead");
      pen.fillRect(bar * 3, (height - tall) / 2, 2, tall);
    }
    pen.fillStyle = look.getPropertyValue("--wave-now");
    pen.fillRect(Math.min(heard, width - 2), 0, 2, height);
  }

  #loudest(bar, bars) {
    const peaks = this.#peaks;
    if (!peaks.length) return 0.08;
    const from = Math.floor((bar / bars) * peaks.length);
    const to = Math.max(from + 1, Math.floor(((bar + 1) / bars) * peaks.length));
    return Math.max(...peaks.slice(from, to));
  }
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

customElements.define("hotline-player", HotlinePlayer);
