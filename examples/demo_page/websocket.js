/* What the panels on WebSocket share. */

const MEANINGS = {
  1000: "closed",
  1001: "the server goes away",
  1005: "closed without a code",
  1006: "connection lost",
  1012: "the server restarts",
  1013: "try again later",
};

/** Open a WebSocket to a path beside the page, such as "api/echo". */
export function openSocket(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  return new WebSocket(url);
}

/** Say how a WebSocket ended: its reason, or what its code means, and the code. */
export function ending({ code, reason }) {
  return `${reason || (MEANINGS[code] ?? "closed")} (${code})`;
}
