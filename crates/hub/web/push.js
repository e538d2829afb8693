// This browser is told of calls and messages while no page is open, if its person wants that and the browser can.

import { change, get } from "./api.js";
import { element } from "./dom.js";
import { action } from "./parts.js";

/** What stands in the settings. */
export async function telling(redraw) {
  if (!("serviceWorker" in navigator && "PushManager" in window)) {
    return [element("p", { class: "soft" }, "This browser cannot be told of anything while the app is closed.")];
  }
  const worker = await Promise.race([navigator.serviceWorker.ready, new Promise((done) => setTimeout(done, 1000, null))]);
  const present = await worker?.pushManager.getSubscription().catch(() => null);
  if (present) {
    const off = async () => {
      await change("DELETE", "push", { endpoint: present.endpoint });
      await present.unsubscribe();
      await redraw();
    };
    return [element("p", {}, "This browser is told of calls and messages while the app is closed."), action("Tell it no more", off)];
  }
  const on = async () => {
    if (worker === null) throw new Error("the app is not installed yet; try again in a moment");
    if ((await Notification.requestPermission()) !== "granted") throw new Error("the browser does not allow notifications; allow them beside the address");
    const { public_key: applicationServerKey } = await get("push");
    const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    try {
      await change("POST", "push", subscription.toJSON());
    } catch (problem) {
      await subscription.unsubscribe();
      throw problem;
    }
    await redraw();
  };
  return [element("p", {}, "Be told of calls and messages while the app is closed."), action("Tell this browser", on)];
}
