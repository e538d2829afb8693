// The tab's microphone and loudspeaker: one WebRTC connection with the device.

/** Candidates of this machine are found at once; nobody is asked for others. */
const GATHERING_MS_MAX = 1500;

export class Sound {
  #stream = null;
  #connection = null;
  #open = false;
  #again = null;
  /** What comes from the device, for whoever shows it. */
  incoming = null;

  /** `ask` hands an offer to the device and gives its answer; `changed` is told when something did. */
  constructor(ask, changed) {
    this.ask = ask;
    this.changed = changed;
    this.player = new Audio();
  }

  get stream() {
    return this.#stream;
  }

  get isOn() {
    return this.#stream !== null;
  }

  /** Asks for the microphone and connects it. Rejects when the person or the browser refuses. */
  async start() {
    const stream = await navigator.mediaDevices.getUserMedia({
      // Our own voice is taken out; nothing else is, for a call for help is not to be gated.
      audio: { echoCancellation: true, noiseSuppression: false, autoGainControl: true, channelCount: 1 },
    });
    this.#stream = stream;
    for (const track of stream.getTracks()) {
      track.enabled = this.#open;
      track.addEventListener("ended", () => this.stop());
    }
    await this.connect();
  }

  /** Whether what is said goes to the device; silence otherwise. */
  set open(open) {
    this.#open = open;
    for (const track of this.#stream?.getTracks() ?? []) track.enabled = open;
  }

  async connect() {
    clearTimeout(this.#again);
    this.#connection?.close();
    const connection = new RTCPeerConnection();
    this.#connection = connection;
    for (const track of this.#stream.getTracks()) connection.addTrack(track, this.#stream);
    connection.addEventListener("track", (event) => {
      this.incoming = new MediaStream([event.track]);
      this.player.srcObject = this.incoming;
      // A browser that wants a gesture first gets one with the next press.
      this.player.play().catch(() => {});
      this.changed();
    });
    connection.addEventListener("connectionstatechange", () => {
      if (connection === this.#connection && ["failed", "closed"].includes(connection.connectionState)) this.later();
      this.changed();
    });
    try {
      await connection.setLocalDescription();
      await gathered(connection);
      const answer = await this.ask(connection.localDescription.sdp);
      if (connection === this.#connection) await connection.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (problem) {
      if (connection === this.#connection) this.later();
      throw problem;
    }
  }

  /** Tries again in a moment. */
  later() {
    clearTimeout(this.#again);
    if (this.#stream !== null) this.#again = setTimeout(() => this.connect().catch(() => {}), 1500);
  }

  get isConnected() {
    return this.#connection?.connectionState === "connected";
  }

  stop() {
    clearTimeout(this.#again);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#connection?.close();
    this.#connection = null;
    this.changed();
  }
}

function gathered(connection) {
  return new Promise((resolve) => {
    const done = () => connection.iceGatheringState === "complete" && resolve();
    connection.addEventListener("icegatheringstatechange", done);
    setTimeout(resolve, GATHERING_MS_MAX);
    done();
  });
}
