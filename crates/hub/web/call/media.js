// The sound of one call: a WebRTC connection whose keys only the two ends have, and what is measured of it.

const CODECS = ["audio/G722", "audio/PCMU", "audio/PCMA", "audio/telephone-event"];
const GATHER_MS = 1_500;
/** Silent for so long: the sound stands still. */
export const SILENCE_MS = 5_000;

/** Why there is no microphone, and what to do about it. */
export class MicrophoneError extends Error {}

const WHY = {
  NotAllowedError: "The browser does not let this page use the microphone. Allow it beside the address, or in the browser’s settings for this site, then call again. Messages work without it.",
  NotFoundError: "There is no microphone. Plug one in, then call again. Messages work without it.",
  NotReadableError: "Another program holds the microphone. Close it there, then call again.",
};

export async function microphone() {
  if (navigator.mediaDevices === undefined) throw new MicrophoneError("This page has no microphone because it was not opened over HTTPS.");
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  } catch (error) {
    throw new MicrophoneError(WHY[error.name] ?? "The microphone cannot be used.");
  }
}

const rewritten = (sdp, change) => sdp.split(/\r?\n/).map(change).filter((line) => line !== null).join("\r\n");

/** A room with an ordinary phone in it is called with DTLS beside RTP/AVP (RFC 8643): a browser knows it by its profile alone. */
const lifted = (sdp) => rewritten(sdp, (line) => line.replace(/^(m=audio \d+) RTP\/AVP /, "$1 UDP/TLS/RTP/SAVPF "));
const isBeside = (sdp) => /^m=audio \d+ RTP\/AVP /m.test(sdp);
/** What protects the sound: without it there is no call. */
export const isProtected = (sdp) => /^a=fingerprint:/m.test(sdp) && /^a=ice-ufrag:/m.test(sdp);

export class Media {
  #lowered = false;
  #sender = null;

  /** `told.state(name)`: connecting, connected, interrupted, failed. `told.sound(stream)`: theirs. */
  constructor(stream, told) {
    this.stream = stream;
    this.told = told;
    this.connection = new RTCPeerConnection({ iceServers: [], rtcpMuxPolicy: "require" });
    this.connection.addEventListener("track", ({ track }) => told.sound(new MediaStream([track])));
    this.connection.addEventListener("connectionstatechange", () => {
      const names = { connected: "connected", disconnected: "interrupted", failed: "failed" };
      const name = names[this.connection.connectionState];
      if (name !== undefined) told.state(name);
    });
  }

  #prepare() {
    const [track] = this.stream.getAudioTracks();
    const present = this.connection.getTransceivers().find((one) => one.receiver.track.kind === "audio" && !one.stopped);
    const transceiver = present ?? this.connection.addTransceiver(track, { direction: "sendrecv", streams: [this.stream] });
    transceiver.direction = "sendrecv";
    const known = RTCRtpReceiver.getCapabilities("audio").codecs;
    const wanted = CODECS.flatMap((name) => known.filter((codec) => codec.mimeType === name && (name !== CODECS[3] || codec.clockRate === 8000)));
    transceiver.setCodecPreferences(wanted);
    this.#sender = transceiver.sender;
    return present === undefined ? Promise.resolve() : transceiver.sender.replaceTrack(track);
  }

  /** Every address is in the description: our speakers know no later ones. */
  async #described() {
    const { connection } = this;
    if (connection.iceGatheringState !== "complete") {
      await new Promise((resolve) => {
        connection.addEventListener("icegatheringstatechange", () => connection.iceGatheringState === "complete" && resolve());
        setTimeout(resolve, GATHER_MS);
      });
    }
    const sdp = connection.localDescription.sdp;
    return rewritten(sdp, (line) => (/^a=candidate:\S+ \d+ tcp /i.test(line) ? null : line));
  }

  async offer() {
    await this.#prepare();
    await this.connection.setLocalDescription(await this.connection.createOffer());
    return this.#described();
  }

  /** What is heard before the answer (RFC 9429 section 4.1.10); the answer may come while this is being taken. */
  async hear(sdp) {
    if (this.connection.signalingState === "have-local-offer") await this.connection.setRemoteDescription({ type: "pranswer", sdp: lifted(sdp) });
  }

  async takeAnswer(sdp) {
    await this.connection.setRemoteDescription({ type: "answer", sdp: lifted(sdp) });
  }

  /** Our answer to their offer, the first or a later one. */
  async answer(sdp) {
    this.#lowered = isBeside(sdp);
    await this.connection.setRemoteDescription({ type: "offer", sdp: lifted(sdp) });
    await this.#prepare();
    await this.connection.setLocalDescription(await this.connection.createAnswer());
    const ours = await this.#described();
    return this.#lowered ? rewritten(ours, (line) => line.replace(/^(m=audio \d+) UDP\/TLS\/RTP\/SAVPF /, "$1 RTP/AVP ")) : ours;
  }

  /** A description that was refused is taken back. */
  async rollback() {
    if (this.connection.signalingState === "have-local-offer") await this.connection.setLocalDescription({ type: "rollback" });
  }

  setDirection(direction) {
    for (const transceiver of this.connection.getTransceivers()) transceiver.direction = direction;
  }

  async holdOffer(hold) {
    this.setDirection(hold ? "sendonly" : "sendrecv");
    for (const track of this.stream.getAudioTracks()) track.enabled = !hold && !this.muted;
    await this.connection.setLocalDescription(await this.connection.createOffer());
    return this.#described();
  }

  mute(muted) {
    this.muted = muted;
    for (const track of this.stream.getAudioTracks()) track.enabled = !muted;
  }

  /** A tone of the pad (RFC 4733); false where the other side takes none. */
  press(digit) {
    const sender = this.#sender?.dtmf;
    if (!sender?.canInsertDTMF) return false;
    sender.insertDTMF(sender.toneBuffer + digit, 120, 60);
    return true;
  }

  /** Packets that came so far, and the loudness of both sides from 0 to 1. */
  async measured() {
    const report = await this.connection.getStats();
    const found = { packets: 0, theirs: 0, ours: 0 };
    for (const entry of report.values()) {
      if (entry.type === "inbound-rtp") Object.assign(found, { packets: entry.packetsReceived ?? 0, theirs: entry.audioLevel ?? 0 });
      if (entry.type === "media-source") found.ours = entry.audioLevel ?? 0;
    }
    return found;
  }

  end() {
    this.connection.close();
    for (const track of this.stream.getTracks()) track.stop();
  }
}
