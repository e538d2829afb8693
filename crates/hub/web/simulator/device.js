// The device behind this tab: opening it, following its news, asking things of it.

/** Where this tab keeps the name of its device, so that a reload finds it again. */
const KEPT = "hearthline-simulator-tab";
/** Beside a home's hub a page needs a key to open a device: it came with the link, and leaves the address at once. */
const KEY = "hearthline-simulator-key";
if (location.hash.length > 1) {
  sessionStorage.setItem(KEY, location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}

const URL_OF = (tab, what) => `/simulator/tabs/${tab}/${what}`;

async function told(response) {
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  throw new Error(error ?? `the simulator answers ${response.status}`);
}

export class Device {
  #tab = null;
  #events = null;

  /**
   * The device of this tab: the one that it had, or a new one. `heard` gets each piece of news once and in order,
   * `connected` whether news can come, `replaced` when another tab follows the same device, `renewed` when the old one is
   * gone and this is another.
   */
  constructor({ heard, connected, replaced, renewed }) {
    this.heard = heard;
    this.connected = connected;
    this.replaced = replaced;
    this.renewed = renewed;
  }

  async open() {
    this.#tab = sessionStorage.getItem(KEPT);
    if (this.#tab === null) await this.#new();
    this.follow();
  }

  async #new() {
    const response = await told(await fetch("/simulator/tabs", { method: "POST", body: sessionStorage.getItem(KEY) ?? "" }));
    this.#tab = (await response.json()).tab;
    sessionStorage.setItem(KEPT, this.#tab);
  }

  /** Follows its news. The browser itself comes back where it was after a loss. */
  follow() {
    const events = new EventSource(URL_OF(this.#tab, "events"));
    this.#events = events;
    events.addEventListener("open", () => this.connected(true));
    events.addEventListener("message", (event) => this.heard(JSON.parse(event.data)));
    events.addEventListener("replaced", () => {
      events.close();
      this.replaced();
    });
    events.addEventListener("over", () => this.#renew());
    events.addEventListener("error", () => {
      this.connected(false);
      // Refused for good: that device has ended, or the program was started anew.
      if (events.readyState === EventSource.CLOSED) this.#renew();
    });
  }

  async #renew() {
    this.#events.close();
    for (;;) {
      try {
        await this.#new();
        break;
      } catch (problem) {
        this.connected(false, problem instanceof TypeError ? undefined : problem.message);
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    }
    this.renewed();
    this.follow();
  }

  /** A device of its own instead of the one that another tab follows. */
  async own() {
    await this.#new();
    this.renewed();
    this.follow();
  }

  /** Asks once; what is lost on the way is not sent again. */
  async ask(what, body) {
    return (await told(await fetch(URL_OF(this.#tab, what), { method: "POST", body }))).text();
  }

  incident(name) {
    return URL_OF(this.#tab, `incidents/${encodeURIComponent(name)}`);
  }
}
