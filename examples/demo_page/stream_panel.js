/* Streaming: read a response chunk by chunk and show when each one came. */

import * as format from "./format.js";
import { Panel, checked, element, failure } from "./panel.js";

const panel = new Panel("stream");
let abort = null;

/** Make the panel's buttons work. */
export function enableStream() {
  panel.on("start", stream);
  panel.on("stop", () => abort.abort());
}

async function stream() {
  abort = new AbortController();
  const arrivals = new Arrivals();
  setRunning(true);
  try {
    await readInto(arrivals, abort.signal);
    panel.state("done", "complete");
  } catch (error) {
    if (error.name === "AbortError") panel.state("wait", "stopped by you");
    else panel.state("error", failure(error));
  } finally {
    setRunning(false);
  }
}

function setRunning(running) {
  panel.button("start").disabled = running;
  panel.button("stop").disabled = !running;
  if (running) panel.state("busy", "streaming");
}

async function readInto(arrivals, signal) {
  const interval = panel.part("interval").value;
  const response = checked(await fetch(`api/stream?interval=${interval}`, { signal }));
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    arrivals.add(value);
  }
}

/** The chunks of one response, with the time each came after the request was sent. */
class Arrivals {
  constructor() {
    this.startedAt = performance.now();
    this.decoder = new TextDecoder();
    this.times = [];
    this.size = 0;
    for (const name of ["text", "timeline", "chunks"]) panel.part(name).replaceChildren();
    panel.figures({ first: null, chunks: 0, bytes: format.bytes(0), elapsed: null });
  }

  add(chunk) {
    const at = performance.now() - this.startedAt;
    const gap = at - (this.times.at(-1) ?? 0);
    this.times.push(at);
    this.size += chunk.length;
    const text = this.decoder.decode(chunk, { stream: true });
    this.show(text);
    this.addRow(at, gap, chunk.length, text);
  }

  show(text) {
    const transcript = panel.part("text");
    transcript.append(text);
    transcript.scrollTop = transcript.scrollHeight;
    this.drawTimeline();
    panel.figures({
      first: format.duration(this.times[0]),
      chunks: this.times.length,
      bytes: format.bytes(this.size),
      elapsed: format.duration(this.times.at(-1)),
    });
  }

  addRow(at, gap, size, text) {
    const row = document.createElement("tr");
    const cells = [this.times.length, format.duration(at), format.duration(gap), size, text.trim()];
    row.append(...cells.map((cell) => element("td", cell)));
    panel.part("chunks").append(row);
  }

  drawTimeline() {
    const timeline = panel.part("timeline");
    timeline.append(document.createElement("i"));
    const last = this.times.at(-1);
    this.times.forEach((at, index) => {
      timeline.children[index].style.setProperty("--at", `${(100 * at) / last}%`);
    });
  }
}
