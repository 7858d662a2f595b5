// WebSocket messages by the package ws: `node messages.mjs URL MESSAGES PAUSE... ` prints the number
// that came back right. The pauses are those of the other clients: a WebSocket outlasts them.
import { createRequire } from "node:module";

const { WebSocket } = createRequire(`${process.env.NODE_MODULES}/`)("ws");
const [url, messages, ...pauses] = process.argv.slice(2);
const socket = new WebSocket(url.replace("http", "ws"));
let right = 0;

function turn(number) {
  const sent = number % 2 ? `${number} grüße` : Buffer.alloc(number % 70_000, number);
  return new Promise((done) => {
    socket.once("message", (data, binary) => {
      if (binary !== (number % 2 === 1) && Buffer.from(sent).equals(data)) right += 1;
      done();
    });
    socket.send(sent);
  });
}

await new Promise((done, failed) => socket.once("open", done).once("error", failed));
for (const pause of ["0", ...pauses]) {
  await new Promise((done) => setTimeout(done, 1000 * Number(pause)));
  for (let number = 0; number < Number(messages); number += 1) await turn(number);
}
const code = await new Promise((done) => {
  socket.once("close", done);
  socket.close(1000);
});
if (code === 1000) console.log(right);
