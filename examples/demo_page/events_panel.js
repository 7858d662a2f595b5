/* Event stream: the server's clock and counts, and the requests of the last minute. */

import * as format from "./format.js";
import { Panel, checked, failure } from "./panel.js";

const SHOWN_SECONDS = 60;
const BURST = 100;
const REOPEN_AFTER = 2000; // milliseconds, where the browser itself has given up

const panel = new Panel("events");
const rates = new Array(SHOWN_SECONDS).fill(null);
let source = null;
let reopening = null;
let seen = null;

/** Make the panel's buttons work. */
export function enableEvents() {
  panel.part("bars").append(...rates.map(() => document.createElement("i")));
  panel.on("start", start);
  panel.on("stop", stop);
  panel.on("burst", burst);
}

function start() {
  seen = { events: 0, reconnects: 0, lost: false, lastAt: null, requests: null };
  panel.figures({ events: 0, reconnects: 0, gap: null });
  setRunning(true);
  open();
}

function open() {
  panel.state("wait", "connecting");
  source = new EventSource("api/events");
  source.onopen = opened;
  source.onmessage = (event) => receive(JSON.parse(event.data));
  source.onerror = reconnect;
}

function opened() {
  panel.state("busy", "live");
  if (seen.lost) panel.figures({ reconnects: ++seen.reconnects });
  seen.lost = false;
}

function stop() {
  source.close();
  clearTimeout(reopening);
  setRunning(false);
  panel.state("idle", "stopped by you");
}

/* The browser reconnects by itself after a lost connection, not after an error answer. */
function reconnect() {
  seen.lastAt = null;
  seen.requests = null;
  seen.lost = true;
  panel.figures({ gap: null });
  panel.state("error", "connection lost, reconnecting");
  if (source.readyState === EventSource.CLOSED) {
    reopening = setTimeout(open, REOPEN_AFTER);
  }
}

function setRunning(running) {
  panel.button("start").disabled = running;
  panel.button("stop").disabled = !running;
}

function receive(tick) {
  const now = performance.now();
  const gap = seen.lastAt === null ? null : format.duration(now - seen.lastAt);
  seen.lastAt = now;
  seen.events += 1;
  panel.figures({
    time: tick.time.slice(11, 19),
    uptime: format.uptime(tick.uptime),
    requests: format.count(tick.requests),
    open: tick.open_responses,
    events: format.count(seen.events),
    gap,
  });
  drawRate(seen.requests === null ? 0 : tick.requests - seen.requests);
  seen.requests = tick.requests;
}

function drawRate(rate) {
  rates.push(rate);
  rates.shift();
  const peak = Math.max(...rates, 1);
  rates.forEach((value, index) => {
    const bar = panel.part("bars").children[index];
    bar.style.setProperty("--share", `${(100 * (value ?? 0)) / peak}%`);
    bar.toggleAttribute("data-filled", value > 0);
  });
  panel.part("peak").textContent = `peak ${peak}`;
}

async function burst() {
  const button = panel.button("burst");
  const remark = panel.part("burst");
  button.disabled = true;
  remark.textContent = "sending…";
  try {
    const times = await Promise.all(Array.from({ length: BURST }, timedRequest));
    const total = Math.max(...times);
    remark.textContent = `${BURST} answered in ${format.duration(total)}`;
  } catch (error) {
    remark.textContent = `failed: ${failure(error)}`;
  } finally {
    button.disabled = false;
  }
}

/* All requests of a burst start at once, so the slowest one's time is the time of all. */
async function timedRequest() {
  const startedAt = performance.now();
  const response = checked(await fetch("api/server"));
  await response.arrayBuffer();
  return performance.now() - startedAt;
}
