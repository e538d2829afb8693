// This browser is told of what its person chose while no page is open, if the browser can.

import { change, get } from "./api.js";
import { element } from "./dom.js";
import { action } from "./parts.js";
import { topicsForm } from "./topics.js";

/** The hub sends nothing beyond its machine, whatever a browser's maker asks for. */
const HERE = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** What stands in the settings. */
export async function telling(grown, redraw) {
  if (!("serviceWorker" in navigator && "PushManager" in window)) {
    return [element("p", { class: "soft" }, "This browser cannot be told of anything while the app is closed.")];
  }
  const worker = await Promise.race([navigator.serviceWorker.ready, new Promise((done) => setTimeout(done, 1000, null))]);
  const [present, { public_key: applicationServerKey, browsers }] = await Promise.all([worker?.pushManager.getSubscription().catch(() => null), get("push")]);
  if (present) {
    const off = async () => {
      await change("DELETE", "push", { endpoint: present.endpoint });
      await present.unsubscribe();
      await redraw();
    };
    const choose = async (tells) => {
      await change("POST", "push", { ...present.toJSON(), tells });
      return "Saved.";
    };
    const own = browsers.find(({ endpoint }) => endpoint === present.endpoint);
    return [topicsForm("This browser is told of", own?.tells ?? [], grown, choose), action("Tell it no more", off)];
  }
  const on = async () => {
    if (worker === null) throw new Error("the app is not installed yet; try again in a moment");
    if ((await Notification.requestPermission()) !== "granted") throw new Error("the browser does not allow notifications; allow them beside the address");
    const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    try {
      const { hostname } = new URL(subscription.endpoint);
      if (!HERE.has(hostname)) throw new Error(`this browser is told by way of ${hostname}, and this version sends nothing beyond its own machine; calls and messages show while the app is open`);
      await change("POST", "push", subscription.toJSON());
    } catch (problem) {
      await subscription.unsubscribe();
      throw problem;
    }
    await redraw();
  };
  return [element("p", {}, "Be told of calls, messages and more while the app is closed. Only by a push service on this machine: this version sends nothing beyond it."), action("Tell this browser", on)];
}
