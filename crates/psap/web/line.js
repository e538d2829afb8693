// The sound of one call: the browser's microphone to the caller, the caller to the loudspeaker. A line that breaks is
// joined again by itself; meanwhile the call-taker's program goes on sending to the caller.

const GATHER_MS_MAX = 1500;
const AGAIN_MS = 1000;

/** The microphone, or why there is none. */
export async function openMicrophone() {
  if (navigator.mediaDevices === undefined) throw new Error("This browser gives a microphone to secure pages and this machine only: open the page as 127.0.0.1.");
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: false, autoGainControl: true } });
  } catch (problem) {
    if (problem.name === "NotAllowedError") throw new Error("The browser does not give this page the microphone. Allow it beside the address, then try again.");
    if (problem.name === "NotFoundError") throw new Error("No microphone is there. Plug one in, then try again.");
    throw new Error(`The microphone cannot be used (${problem.name}).`);
  }
}

export class Line {
  #call;
  #page;
  #microphone;
  #told;
  #had = false;
  #peer = null;
  #closed = false;
  #again = null;
  #player = new Audio();

  /** `told` hears "joining", "joined", "lost", and "taken" when another page has the sound now. */
  constructor(call, page, microphone, told) {
    this.#call = call;
    this.#page = page;
    this.#microphone = microphone;
    this.#told = told;
    this.#player.autoplay = true;
    this.#join();
  }

  get call() {
    return this.#call;
  }

  /** The caller's sound, for the meter; null before it comes. */
  get heard() {
    return this.#player.srcObject;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#again);
    this.#peer?.close();
    this.#player.srcObject = null;
  }

  async #join() {
    this.#told("joining");
    const peer = new RTCPeerConnection();
    this.#peer = peer;
    peer.addEventListener("track", ({ track }) => (this.#player.srcObject = new MediaStream([track])));
    peer.addEventListener("connectionstatechange", () => {
      if (peer !== this.#peer || this.#closed) return;
      if (peer.connectionState === "connected") this.#told("joined");
      if (["failed", "disconnected", "closed"].includes(peer.connectionState)) this.#lost();
    });
    try {
      const [track] = this.#microphone?.getAudioTracks() ?? [];
      if (track === undefined) peer.addTransceiver("audio", { direction: "recvonly" });
      else peer.addTrack(track, this.#microphone);
      await peer.setLocalDescription();
      await gathered(peer);
      const answer = await fetch(`/calls/${this.#call}/audio`, {
        method: "POST",
        headers: { "Content-Type": "application/sdp", "Hearth-Page": this.#page, ...(this.#had ? { "Hearth-Again": "yes" } : {}) },
        body: peer.localDescription.sdp,
      });
      if (answer.status === 409) {
        this.close(); // the call is over, or somebody talks at another page
        if (this.#had) this.#told("taken");
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      this.#had = true;
      await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    } catch {
      if (peer === this.#peer) this.#lost();
    }
  }

  #lost() {
    if (this.#closed) return;
    this.#peer?.close();
    this.#peer = null;
    this.#told("lost");
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#join(), AGAIN_MS);
  }
}

function gathered(peer) {
  return new Promise((done) => {
    const look = () => peer.iceGatheringState === "complete" && done();
    peer.addEventListener("icegatheringstatechange", look);
    setTimeout(done, GATHER_MS_MAX);
    look();
  });
}

/** How loud a stream is, 0 to 1, on a logarithmic scale of 60 dB. */
export class Level {
  #analyser;
  #samples = new Float32Array(1024);

  constructor(context, stream) {
    this.#analyser = new AnalyserNode(context, { fftSize: 1024 });
    new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(this.#analyser);
  }

  now() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    return Math.max(0, Math.min(1, 1 + (10 * Math.log10(power + 1e-9)) / 60));
  }
}
