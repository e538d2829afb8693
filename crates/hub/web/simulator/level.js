// How loud a stream is, from 0 to 1, as the ear feels it.

export class Level {
  #analyser = null;
  #source = null;
  #samples = null;

  /** Another stream, or none. */
  async of(stream) {
    this.#source?.disconnect();
    this.#source = null;
    if (stream === null) return;
    Level.context ??= new AudioContext();
    await Level.context.resume();
    this.#analyser ??= Level.context.createAnalyser();
    this.#analyser.fftSize = 512;
    this.#samples ??= new Float32Array(this.#analyser.fftSize);
    this.#source = Level.context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  now() {
    if (this.#source === null) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    // -60 dB is silence, -10 dB a loud voice.
    return Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-10) + 60) / 50));
  }
}
