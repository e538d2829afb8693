// Runs beside the page: hands on the microphone's samples, 40 ms at a time.

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(640);
    this.filled = 0;
  }

  process([[channel]]) {
    for (const sample of channel ?? []) {
      this.block[this.filled] = sample;
      this.filled += 1;
      if (this.filled === this.block.length) {
        this.port.postMessage(this.block.slice());
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
