/* Echo: send messages over a WebSocket and time how long each takes to come back. */

import * as format from "./format.js";
import { Panel, element } from "./panel.js";
import { ending, openSocket } from "./websocket.js";

const SHOWN = 60;
const LISTED = 20;
const BURST = 500;
const LARGE = 1024 * 1024;
const RANDOM_BLOCK = 65536; // the most getRandomValues() fills at once
const GOODBYE = 4000; // a code of our own, RFC 6455 section 7.4.2

const panel = new Panel("echo");
const encoder = new TextEncoder();
let session = null;

/** Make the panel's buttons work. */
export function enableEcho() {
  const bars = Array.from({ length: SHOWN }, () => document.createElement("i"));
  panel.part("bars").append(...bars);
  const form = panel.element.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(() => session.send(panel.part("text").value));
  });
  panel.on("burst", () => run(burst));
  panel.on("large", () => run(() => session.send(randomData())));
  panel.on("close", () => session.close());
}

/* Do something over an open WebSocket; it opens with the first use. */
async function run(act) {
  try {
    if (session === null) session = await Session.open();
    await act();
  } catch (error) {
    panel.state("error", error.message);
  }
}

async function burst() {
  panel.state("busy", `${BURST} round trips`);
  panel.button("burst").disabled = true;
  try {
    const startedAt = performance.now();
    for (let number = 1; number <= BURST; number += 1) await session.send(`number ${number}`);
    const elapsed = performance.now() - startedAt;
    panel.state("done", `${BURST} in ${format.duration(elapsed)}`);
  } finally {
    panel.button("burst").disabled = false;
  }
}

function randomData() {
  const data = new Uint8Array(LARGE);
  for (let start = 0; start < LARGE; start += RANDOM_BLOCK) {
    crypto.getRandomValues(data.subarray(start, start + RANDOM_BLOCK));
  }
  return data;
}

/** One WebSocket: what was sent waits here until it comes back, in the order it was sent. */
class Session {
  static open() {
    panel.state("wait", "connecting");
    return new Promise((resolve, reject) => new Session(resolve, reject));
  }

  constructor(opened, refused) {
    this.waiting = [];
    this.times = [];
    this.bytes = 0;
    this.socket = openSocket("api/echo");
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.ready();
      opened(this);
    };
    this.socket.onmessage = (event) => this.receive(event.data);
    this.socket.onclose = (event) => this.ended(event, refused);
  }

  ready() {
    const compressed = this.socket.extensions.startsWith("permessage-deflate");
    panel.state("done", compressed ? "open, compressed" : "open");
    panel.button("close").disabled = false;
    panel.part("exchanges").replaceChildren();
  }

  /** Send a text or bytes and wait until it is back. */
  send(message) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ message, resolve, reject, sentAt: performance.now() });
      this.socket.send(message);
    });
  }

  close() {
    this.socket.close(GOODBYE);
  }

  receive(data) {
    const { message, resolve, reject, sentAt } = this.waiting.shift();
    const taken = performance.now() - sentAt;
    if (!same(message, data)) {
      reject(new Error("not what was sent"));
      return;
    }
    this.show(data, taken);
    resolve();
  }

  show(data, taken) {
    const size = typeof data === "string" ? encoder.encode(data).length : data.byteLength;
    this.times.push(taken);
    this.bytes += size;
    const shown = typeof data === "string" ? data : `${format.bytes(size)} of random data`;
    list(shown, taken);
    drawTimes(this.times.slice(-SHOWN));
    panel.figures({
      last: format.duration(taken),
      median: format.duration(median(this.times)),
      messages: format.count(this.times.length),
      bytes: format.bytes(this.bytes),
    });
  }

  ended(event, refused) {
    const byUs = event.code === GOODBYE;
    const error = new Error(byUs ? `closed by you (${GOODBYE})` : ending(event));
    if (session === this) session = null;
    panel.button("close").disabled = true;
    panel.state(byUs ? "idle" : "error", error.message);
    for (const { reject } of this.waiting) reject(error);
    refused(error);
  }
}

function same(sent, received) {
  if (typeof sent === "string" || typeof received === "string") return sent === received;
  const bytes = new Uint8Array(received);
  return bytes.length === sent.length && bytes.every((octet, index) => octet === sent[index]);
}

function list(text, taken) {
  const entry = element("li", "");
  entry.append(element("span", text, "what"), element("span", format.duration(taken), "when"));
  const entries = panel.part("exchanges");
  entries.append(entry);
  if (entries.children.length > LISTED) entries.firstChild.remove();
  entries.scrollTop = entries.scrollHeight;
}

function drawTimes(times) {
  const peak = Math.max(...times);
  const bars = [...panel.part("bars").children].slice(-times.length);
  times.forEach((time, index) => {
    bars[index].style.setProperty("--share", `${(100 * time) / peak}%`);
    bars[index].dataset.filled = "";
  });
  panel.part("peak").textContent = `slowest ${format.duration(peak)}`;
}

function median(times) {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)];
}
