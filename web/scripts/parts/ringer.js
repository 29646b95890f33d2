// A quiet two-tone ring, made here: no file, and nothing when the browser will not play yet.
export class Ringer {
  #context = null;
  #timer = 0;

  start() {
    if (this.#timer) return;
    this.#context ??= new AudioContext();
    this.#context.resume().catch(() => {});
    const ring = () => {
      if (this.#context.state !== "running") return;
      const now = this.#context.currentTime;
      this.#tone(440, now, 0.35);
      this.#tone(554, now + 0.4, 0.35);
    };
    ring();
    this.#timer = setInterval(ring, 2400);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }

  #tone(pitch, at, seconds) {
    const tone = this.#context.createOscillator();
    const loudness = this.#context.createGain();
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(0.12, at + 0.03);
    loudness.gain.linearRampToValueAtTime(0, at + seconds);
    tone.connect(loudness).connect(this.#context.destination);
    tone.start(at);
    tone.stop(at + seconds);
  }
}
