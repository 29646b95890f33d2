// <span role="timer" data-until="2026-11-25T18:05:00+00:00">4:12</span> counts down to that moment, and then says "now".
// By the server's clock: a fragment is rendered with what was left then, and the difference to ours is kept.
const skew = new WeakMap(); // element → milliseconds by which our clock is ahead

export function watchCountdowns() {
  setInterval(() => {
    for (const element of document.querySelectorAll("[data-until]")) show(element);
  }, 1000);
}

function show(element) {
  const until = Date.parse(element.dataset.until);
  if (!skew.has(element)) skew.set(element, Date.now() - (until - 1000 * read(element.textContent)) - 1000);
  const left = Math.floor((until - (Date.now() - skew.get(element))) / 1000);
  const text = left > 0 ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : "now";
  if (element.textContent !== text) element.textContent = text;
}

function read(text) {
  const [minutes, seconds] = text.split(":").map(Number);
  return Number.isNaN(minutes) ? 0 : minutes * 60 + seconds;
}
