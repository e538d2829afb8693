// A page with a microphone: FOLDER (of the libraries) FLAG. Writes its offer, reads the answer, tells what it heard.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [folder, flag] = process.argv.slice(2);
const { chromium } = createRequire(join(folder, "package.json"))("playwright-core");
const browser = await chromium.launch({
  executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync),
  args: ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", flag],
});
try {
  const page = await (await browser.newContext()).newPage();
  // A microphone is given to a secure page only; nothing is asked of any server.
  await page.route("**/*", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>page</title>" }));
  await page.goto("https://page.invalid/");
  const offer = await page.evaluate(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const connection = new RTCPeerConnection();
    globalThis.connection = connection;
    for (const track of stream.getTracks()) connection.addTrack(track, stream);
    globalThis.incoming = new Promise((resolve) => (connection.ontrack = (event) => resolve(event.streams[0] ?? new MediaStream([event.track]))));
    await connection.setLocalDescription();
    while (connection.iceGatheringState !== "complete") {
      await new Promise((resolve) => connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
    }
    return connection.localDescription.sdp;
  });
  process.stderr.write(offer.split("\r\n").filter((line) => line.startsWith("a=candidate")).join("\n") + "\n");
  console.log(JSON.stringify(offer));
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const answer = JSON.parse((await lines.next()).value);
  const heard = await page.evaluate(async (sdp) => {
    await connection.setRemoteDescription({ type: "answer", sdp });
    const stream = await incoming;
    // Chromium decodes what comes only when an element plays it.
    const player = new Audio();
    player.srcObject = stream;
    await player.play();
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    context.createMediaStreamSource(stream).connect(analyser);
    const bins = new Float32Array(analyser.frequencyBinCount);
    for (let tries = 0; tries < 300; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      analyser.getFloatFrequencyData(bins);
      const top = bins.indexOf(Math.max(...bins));
      if (tries > 25 && bins[top] > -50) {
        return { hz: (top * context.sampleRate) / analyser.fftSize, db: bins[top], state: connection.connectionState };
      }
    }
    return { hz: 0, state: connection.connectionState };
  }, answer);
  console.log(JSON.stringify(heard));
} finally {
  await browser.close();
}
