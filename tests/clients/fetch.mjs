// Node's fetch: `node fetch.mjs URL REQUESTS PAUSE...` prints the number of right answers.
const [url, requests, ...pauses] = process.argv.slice(2);
const AT_ONCE = 20;
let right = 0;

async function ask(number) {
  const content = number % 10 === 0 ? `${number} `.repeat(100) : undefined;
  const answer = await fetch(url, { method: content ? "POST" : "GET", body: content });
  if (answer.status === 200 && (await answer.text()) === (content ?? "hello")) right += 1;
}

async function work(first) {
  for (let number = first; number < Number(requests); number += AT_ONCE) await ask(number);
}

for (const pause of ["0", ...pauses]) {
  await new Promise((done) => setTimeout(done, 1000 * Number(pause)));
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => work(first)));
}
console.log(right);
