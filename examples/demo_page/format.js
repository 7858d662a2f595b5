/* Numbers as people read them. */

const BINARY_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Return a count of bytes with a binary unit. */
export function bytes(count) {
  let unit = 0;
  while (count >= 1024 && unit < BINARY_UNITS.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? count : count.toFixed(count < 10 ? 2 : 1)} ${BINARY_UNITS[unit]}`;
}

/** Return a length of time, given in milliseconds. */
export function duration(milliseconds) {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`;
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Return a long length of time, given in seconds, as days, hours, minutes and seconds. */
export function uptime(seconds) {
  const whole = Math.floor(seconds);
  const parts = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "m"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2);
  return shown.map(([amount, unit]) => `${amount}${unit}`).join(" ");
}

/** Return a count with separators. */
export function count(number) {
  return number.toLocaleString("en");
}
