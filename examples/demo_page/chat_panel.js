/* Chat: a room for everybody who has the page open, each over a WebSocket of their own. */

import { Panel, element } from "./panel.js";
import { ending, openSocket } from "./websocket.js";

const REJOIN_AFTER = 2000; // milliseconds
const LISTED = 200;
const FOR_GOOD = new Set([1003, 1008, 1009]); // what the server closes with; see demo_chat.py

const panel = new Panel("chat");
let socket = null;
let rejoining = null;
let ownName = "";

/** Make the panel's buttons work; a tab that was opened for the chat joins by itself. */
export function enableChat() {
  onSubmit("entrance", () => join(panel.part("name").value));
  onSubmit("floor", say);
  panel.on("leave", leave);
  if (location.hash === "#chat") join("");
}

function onSubmit(form, act) {
  panel.part(form).addEventListener("submit", (event) => {
    event.preventDefault();
    act();
  });
}

function join(name) {
  panel.state("wait", "joining");
  ownName = name;
  socket = openSocket(`api/chat?name=${encodeURIComponent(name)}`);
  socket.onmessage = (event) => hear(JSON.parse(event.data));
  socket.onclose = lost;
  setInside(true);
}

function say() {
  const field = panel.part("text");
  if (socket.readyState !== WebSocket.OPEN || field.value.trim() === "") return;
  socket.send(field.value);
  field.value = "";
}

function leave() {
  socket.onclose = null;
  socket.close(1000, "left");
  clearTimeout(rejoining);
  setInside(false);
  showPeople([]);
  panel.state("idle", "you have left");
}

/* A server that restarts is back soon; one that does not want us is not asked again. */
function lost(event) {
  showPeople([]);
  panel.state("error", ending(event));
  if (FOR_GOOD.has(event.code)) setInside(false);
  else rejoining = setTimeout(() => join(ownName), REJOIN_AFTER);
}

function setInside(inside) {
  panel.part("entrance").hidden = inside;
  panel.part("floor").hidden = !inside;
}

function hear(message) {
  if (message.people) showPeople(message.people);
  if (message.event === "welcome") enter(message);
  else if (message.event === "said") show(message);
  else remark(`${message.name} has ${message.event === "joined" ? "come" : "gone"}`);
}

function enter({ name, said }) {
  ownName = name;
  panel.state("busy", `you are ${name}`);
  panel.part("talk").replaceChildren();
  said.forEach(show);
  panel.part("text").focus({ preventScroll: true });
}

function show({ name, text, at }) {
  const entry = element("li", "", name === ownName ? "own" : "");
  const time = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  entry.append(speaker(name), element("span", text, "words"), element("time", time));
  add(entry);
}

function remark(words) {
  add(element("li", words, "remark"));
}

function add(entry) {
  const entries = panel.part("talk");
  entries.append(entry);
  if (entries.children.length > LISTED) entries.firstChild.remove();
  entries.scrollTop = entries.scrollHeight;
}

function showPeople(names) {
  panel.part("people").replaceChildren(...names.map(speaker));
}

/* A name in a colour of its own, the same in every tab. */
function speaker(name) {
  const made = element("b", name, "speaker");
  const sum = [...name].reduce((hash, letter) => (hash * 137 + letter.codePointAt(0)) % 360, 7);
  made.style.setProperty("--hue", sum);
  return made;
}
