/* The head of the page: what serves it. */

import { checked, element, failure } from "./panel.js";

const IMPLEMENTATIONS = { pure: "pure Python", fast: "fast, compiled" };

/** Ask the server what it is, and show it. */
export async function showServer() {
  const line = document.getElementById("server-line");
  try {
    const response = checked(await fetch("api/server"));
    const facts = await response.json();
    line.replaceChildren(...sentence(facts, response.headers.get("server")));
    showFacts(facts);
  } catch (error) {
    line.dataset.state = "error";
    line.textContent = `The server did not say what it is (${failure(error)}).`;
  }
}

function showFacts(facts) {
  for (const field of document.querySelectorAll("[data-fact]")) {
    const value = facts[field.dataset.fact];
    field.textContent = IMPLEMENTATIONS[value] ?? value;
  }
}

function sentence(facts, serverField) {
  if (!facts.is_esg) {
    const name = element("strong", serverField ?? "another ASGI server");
    return ["This page is served by ", name, ". Under ESG it also shows the version, implementation and loop."];
  }
  const name = element("strong", `ESG ${facts.version}`);
  const reason = facts.reason ? ` (${facts.reason})` : "";
  const implementation = IMPLEMENTATIONS[facts.implementation] ?? facts.implementation;
  return ["This page is served by ", name, `, ${implementation} on ${facts.loop}${reason}.`];
}
