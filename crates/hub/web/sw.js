// Keeps the app's own files for when the hub is away. The network comes first, so a kept file is never shown while a
// newer one can be had, and nothing of the API is ever kept.

const KEPT = "hearthline";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const ours = event.request.method === "GET" && url.origin === self.location.origin;
  if (!ours || url.pathname.startsWith("/api/") || url.pathname === "/sip") return;
  event.respondWith(fromNetworkOrKept(event.request));
});

async function fromNetworkOrKept(request) {
  const kept = await caches.open(KEPT);
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await kept.put(request, fresh.clone());
    return fresh;
  } catch (error) {
    const found = await kept.match(request, { ignoreSearch: true });
    if (found === undefined) throw error;
    return found;
  }
}

// What the hub pushes is a kind and an id, never a name or a text: the page asks for the rest.
const TOLD = {
  message: { title: "A new message", place: "messages" },
  call: { title: "A call rings", place: "phone", requireInteraction: true },
  missed: { title: "A call was not taken", place: "calls" },
  line: { title: "A line fails, or works again", place: "lines" },
  incident: { title: "Drill: a call for help", place: "incidents", requireInteraction: true },
  ring: { title: "Here is your phone", place: "home", requireInteraction: true, vibrate: [600, 300, 600, 300, 600, 300, 600] },
};

self.addEventListener("push", (event) => {
  let kind;
  try {
    kind = event.data.json().kind;
  } catch {
    return; // nothing that the hub sends
  }
  if (!Object.hasOwn(TOLD, kind)) return;
  const { title, place, ...more } = TOLD[kind];
  event.waitUntil(self.registration.showNotification(title, { tag: kind, renotify: true, icon: "/icon.svg", data: { place }, ...more }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification.data.place));
});

/** The page that is open already, or a new one. */
async function show(place) {
  const [open] = await self.clients.matchAll({ type: "window" });
  if (open === undefined) return self.clients.openWindow(`/#/${place}`);
  await open.navigate(`/#/${place}`);
  return open.focus();
}
