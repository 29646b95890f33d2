// Runs in the audio thread: hands each block of the microphone's first channel on as it is.
class Tap extends AudioWorkletProcessor {
  process([input]) {
    if (input[0]) this.port.postMessage(input[0].slice());
    return true;
  }
}
registerProcessor("tap", Tap);
