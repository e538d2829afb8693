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
