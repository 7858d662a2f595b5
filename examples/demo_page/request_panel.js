/* Your request: the scope it became, in Python's notation, and its headers. */

import { Panel, checked, element, failure } from "./panel.js";

/* Tokens of a Python literal: bytes and strings, numbers, words. */
const TOKENS = /(b?'(?:[^'\\]|\\.)*'|b?"(?:[^"\\]|\\.)*")|(\b\d+(?:\.\d+)?\b)|\b(None|True|False)\b/g;

const panel = new Panel("request");

/** Show the scope of a first request, and make the form send others. */
export function enableRequest() {
  const form = panel.element.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    request(form.querySelector("select").value, `api/scope/${form.querySelector("input").value}`);
  });
  return request("GET", "api/scope");
}

async function request(method, target) {
  panel.state("busy", "sending");
  try {
    const response = checked(await fetch(target, { method }));
    const { entries, headers } = await response.json();
    showScope(entries, headers.length);
    showHeaders(headers);
    panel.state("done", `${method} answered`);
  } catch (error) {
    panel.state("error", failure(error));
  }
}

function showScope(entries, headerCount) {
  const lines = entries.map(({ key, value }) => entryLine(key, value));
  const headers = entryLine("headers", "[…]");
  headers.append(element("span", `  # ${headerCount}, listed beside`));
  panel.part("scope").replaceChildren("{", ...lines, headers, "}");
}

function entryLine(key, value) {
  const line = element("span", "", "entry");
  line.append(element("span", `'${key}'`, "key"), ": ", ...highlighted(value), ",");
  return line;
}

function highlighted(literal) {
  const nodes = [];
  let end = 0;
  for (const match of literal.matchAll(TOKENS)) {
    nodes.push(literal.slice(end, match.index), token(match));
    end = match.index + match[0].length;
  }
  return [...nodes, literal.slice(end)];
}

function token([text, string, number]) {
  if (string !== undefined) return element("span", text, "string");
  return element("span", text, number === undefined ? "word" : "number");
}

function showHeaders(headers) {
  const rows = headers.map(([name, value]) => {
    const row = document.createElement("tr");
    const label = element("th", name);
    label.scope = "row";
    row.append(label, element("td", value));
    return row;
  });
  panel.part("headers").replaceChildren(...rows);
  panel.part("header-count").textContent = `(${headers.length})`;
}
