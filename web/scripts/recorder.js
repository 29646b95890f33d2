// Records a sentence: the microphone as it is (no echo or noise filter, no automatic gain), or a sound file that the
// browser can open, sent as 16-bit WAV. Whether it can be used, the hotline says.
//
//   <hotline-recorder data-worklet="…/recorder_worklet.js" data-to="/prompts/…/take">
//     [data-do=record] button, [type=file] input, [data-part=level] meter, [data-part=state] text, [data-part=again] link
//   </hotline-recorder>
import { notify } from "./parts/notice.js";
import { ask } from "./parts/request.js";
import { wav } from "./parts/wav.js";

const LONGEST_S = 120;
const LARGEST_FILE = 40_000_000; // bytes, before it is opened
const AS_IT_IS = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };

class HotlineRecorder extends HTMLElement {
  #running = null; // what must be closed when the recording ends

  connectedCallback() {
    this.button = this.querySelector("[data-do=record]");
    this.words = this.button.innerHTML;
    this.button.addEventListener("click", () => (this.#running ? this.#stop() : this.#start()));
    this.querySelector("[type=file]").addEventListener("change", (event) => this.#file(event.target));
    document.querySelector(".prompts [aria-current]")?.scrollIntoView({ block: "center" });
  }

  disconnectedCallback() {
    this.#close();
  }

  #say(sentence) {
    this.querySelector("[data-part=state]").textContent = sentence;
  }

  async #start() {
    if (!navigator.mediaDevices) {
      this.#say("The browser gives the microphone only to a page over TLS or on this machine. Take a sound file instead.");
      return;
    }
    this.button.disabled = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS });
      const context = new AudioContext();
      this.#running = { stream, context, blocks: [], samples: 0 };
      await context.audioWorklet.addModule(this.dataset.worklet);
      const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
      tap.port.onmessage = ({ data }) => this.#heard(data);
      context.createMediaStreamSource(stream).connect(tap);
      this.button.textContent = "Stop";
      this.dataset.state = "recording";
      this.querySelector("meter").hidden = false;
      this.#say("Recording. Read the sentence aloud, then stop.");
    } catch (error) {
      this.#close();
      this.#say(
        error.name === "NotAllowedError"
          ? "The microphone was refused. Allow it beside the page's address, or take a sound file instead."
          : "There is no microphone that works. Take a sound file instead.",
      );
    }
    this.button.disabled = false;
  }

  #heard(block) {
    const now = this.#running;
    if (!now) return;
    now.blocks.push(block);
    now.samples += block.length;
    const loudest = block.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    const meter = this.querySelector("meter");
    meter.value = Math.max(loudest, meter.value * 0.95);
    if (now.samples > LONGEST_S * now.context.sampleRate) this.#stop();
  }

  async #stop() {
    const { blocks, context } = this.#running;
    const rate = context.sampleRate;
    this.#close();
    await this.#send(wav(blocks, rate));
  }

  async #file(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    if (file.size > LARGEST_FILE) return this.#say("That file is larger than 40 MB. A prompt lasts two minutes at most.");
    let sound;
    try {
      sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(await file.arrayBuffer());
    } catch {
      return this.#say("That is no sound that this browser can open. Save it as WAV, 16 bit, mono.");
    }
    if (sound.duration > LONGEST_S) return this.#say("That sound is longer than two minutes.");
    const mixed = sound.getChannelData(0).slice();
    for (let channel = 1; channel < sound.numberOfChannels; channel += 1) {
      sound.getChannelData(channel).forEach((sample, n) => (mixed[n] += sample));
    }
    await this.#send(wav([mixed.map((sample) => sample / sound.numberOfChannels)], sound.sampleRate));
  }

  async #send(body) {
    this.#say("Being kept …");
    try {
      const answer = await ask(this.dataset.to, { method: "POST", body, headers: { "Content-Type": "audio/wav" } });
      if (answer.ok) return this.querySelector("[data-part=again]").click();
      const sentence = answer.headers.get("X-Sentence");
      this.#say(sentence ? decodeURIComponent(sentence) : "That did not work. Try again.");
    } catch {
      this.#say("");
      notify("The hotline does not answer. Try again in a moment.", "error");
    }
  }

  #close() {
    this.#running?.stream.getTracks().forEach((track) => track.stop());
    this.#running?.context.close();
    this.#running = null;
    delete this.dataset.state;
    this.button.innerHTML = this.words;
    this.querySelector("meter").hidden = true;
  }
}

customElements.define("hotline-recorder", HotlineRecorder);
