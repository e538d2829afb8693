// The verifier of the page of one file, beside a page of the app: a worker of its own.

import { answer } from "./worker.js";

addEventListener("message", ({ data }) => answer(data, postMessage));
