// Node's http.Agent, which keeps connections until the server ends them:
// `node agent.mjs URL REQUESTS PAUSE...` prints the number of right answers.
import http from "node:http";

const [url, requests, ...pauses] = process.argv.slice(2);
const AT_ONCE = 20;
const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
let right = 0;

function ask() {
  return new Promise((done, failed) => {
    const request = http.get(url, { agent }, (answer) => {
      let body = "";
      answer.on("data", (data) => (body += data));
      answer.on("end", () => {
        if (answer.statusCode === 200 && body === "hello") right += 1;
        done();
      });
    });
    request.on("error", failed);
  });
}

async function work(first) {
  for (let number = first; number < Number(requests); number += AT_ONCE) await ask();
}

for (const pause of ["0", ...pauses]) {
  await new Promise((done) => setTimeout(done, 1000 * Number(pause)));
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => work(first)));
}
agent.destroy();
console.log(right);
