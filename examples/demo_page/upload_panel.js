/* Upload: send a file or random data, show the progress and what the server made of it. */

import * as format from "./format.js";
import { Panel } from "./panel.js";

const GENERATED_SIZE = 32 * 1024 * 1024;
const RANDOM_BLOCK = 65536; // the most getRandomValues() fills at once
const HASHED_AT_MOST = 256 * 1024 * 1024; // the browser can only hash what is in memory

const panel = new Panel("upload");
const fileInput = panel.part("file");
const progress = panel.element.querySelector("progress");
let request = null;

/** Make the panel's buttons work. */
export function enableUpload() {
  panel.on("generate", () => upload(randomData(), "Random data"));
  panel.on("cancel", () => request.abort());
  fileInput.addEventListener("change", () => {
    const [file] = fileInput.files;
    fileInput.value = ""; // so that the same file can be chosen again
    if (file) upload(file, file.name);
  });
}

function randomData() {
  const data = new Uint8Array(GENERATED_SIZE);
  for (let start = 0; start < data.length; start += RANDOM_BLOCK) {
    crypto.getRandomValues(data.subarray(start, start + RANDOM_BLOCK));
  }
  return new Blob([data], { type: "application/octet-stream" });
}

async function upload(blob, name) {
  begin(blob, name);
  try {
    const answer = await send(blob);
    showAnswer(answer);
    await compareHashes(blob, answer.sha256);
  } catch (error) {
    if (error.name === "AbortError") panel.state("wait", "cancelled by you");
    else panel.state("error", error.message);
  } finally {
    setRunning(false);
  }
}

function begin(blob, name) {
  setRunning(true);
  panel.state("busy", "sending");
  panel.part("name").textContent = `${name}, ${format.bytes(blob.size)}`;
  showProgress(0, blob.size);
  panel.figures({ bytes: null, seconds: null, speed: null });
  panel.figures({ "server-hash": null, "browser-hash": null });
  markHashes("");
}

function setRunning(running) {
  panel.button("generate").disabled = running;
  panel.button("cancel").disabled = !running;
  fileInput.disabled = running;
  fileInput.parentElement.setAttribute("aria-disabled", running);
}

/* XMLHttpRequest, because fetch() does not tell the progress of an upload. */
function send(blob) {
  return new Promise((resolve, reject) => {
    request = new XMLHttpRequest();
    request.upload.onprogress = (event) => showProgress(event.loaded, blob.size);
    request.upload.onload = () => panel.state("busy", "sent, waiting for the answer");
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText));
      else reject(new Error(`refused: ${request.status} ${request.statusText}`.trim()));
    };
    request.onerror = () => reject(new Error("connection lost"));
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    request.open("POST", "api/upload");
    request.send(blob);
  });
}

function showProgress(sent, size) {
  const share = size === 0 ? 1 : sent / size;
  progress.value = share;
  panel.part("share").textContent = `${Math.floor(100 * share)} %`;
}

function showAnswer(answer) {
  panel.state("done", "received");
  panel.figures({
    bytes: format.count(answer.bytes),
    seconds: format.duration(1000 * answer.seconds),
    speed: `${format.bytes(answer.bytes_per_second)}/s`,
    "server-hash": answer.sha256,
  });
}

async function compareHashes(blob, serverHash) {
  if (!crypto.subtle || blob.size > HASHED_AT_MOST) {
    const reason = crypto.subtle ? "too large to hash here" : "only over HTTPS or on localhost";
    panel.figures({ "browser-hash": reason });
    return;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  const hash = Array.from(digest, (octet) => octet.toString(16).padStart(2, "0")).join("");
  panel.figures({ "browser-hash": hash });
  const same = hash === serverHash;
  markHashes(same ? "match" : "mismatch");
  panel.state(same ? "done" : "error", same ? "received, hashes match" : "hashes differ");
}

function markHashes(className) {
  for (const code of panel.element.querySelectorAll(".digests code")) code.className = className;
}
