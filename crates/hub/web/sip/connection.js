// The WebSocket to the hub (RFC 7118): kept alive, and made anew by itself.

import { MESSAGE_BYTES_MAX } from "./message.js";

const BEAT_MS = 20_000;
const PONG_WITHIN_MS = 8_000;
const PAUSE_MS = 1_000;
const PAUSE_MAX_MS = 30_000;

export class Connection {
  #socket = null;
  #pause = PAUSE_MS;
  #timer = null;
  #beat = null;
  #ended = false;

  /** `opened()`, `closed()` and `heard(text)` are told. */
  constructor(url, { opened, closed, heard }) {
    this.url = url;
    this.told = { opened, closed, heard };
    this.hurry = () => {
      this.#pause = PAUSE_MS;
      if (this.#socket === null) this.#open();
    };
    addEventListener("online", this.hurry);
    this.#open();
  }

  get stands() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(text) {
    if (!this.stands) return false;
    this.#socket.send(text);
    return true;
  }

  end() {
    this.#ended = true;
    removeEventListener("online", this.hurry);
    clearTimeout(this.#timer);
    this.#gone(this.#socket);
  }

  #open() {
    clearTimeout(this.#timer);
    if (this.#ended || this.#socket !== null) return;
    const socket = new WebSocket(this.url, "sip");
    this.#socket = socket;
    socket.addEventListener("open", () => {
      if (socket !== this.#socket) return;
      this.#pause = PAUSE_MS;
      this.#beat = setInterval(() => this.#ping(), BEAT_MS);
      this.told.opened();
    });
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return;
      clearTimeout(this.waiting);
      this.waiting = null;
      if (typeof data === "string" && data.trim() !== "" && data.length <= MESSAGE_BYTES_MAX) this.told.heard(data);
    });
    for (const kind of ["close", "error"]) socket.addEventListener(kind, () => this.#gone(socket));
  }

  /** A browser does not tell its page of WebSocket's own pings; CR LF twice asks for CR LF once (RFC 5626 section 4.4.1). */
  #ping() {
    this.send("\r\n\r\n");
    this.waiting ??= setTimeout(() => this.#gone(this.#socket), PONG_WITHIN_MS);
  }

  #gone(socket) {
    if (socket === null || socket !== this.#socket) return;
    this.#socket = null;
    clearInterval(this.#beat);
    clearTimeout(this.waiting);
    this.waiting = null;
    socket.close();
    this.told.closed();
    if (this.#ended) return;
    // A house full of browsers does not come back in one moment.
    this.#timer = setTimeout(() => this.#open(), this.#pause * (0.75 + Math.random() / 2));
    this.#pause = Math.min(this.#pause * 2, PAUSE_MAX_MS);
  }
}
