// <span role="timer" data-until="2026-11-25T18:05:00+00:00" data-now="2026-11-25T18:00:48+00:00">4:12</span> counts down
// to that moment, and then says "now". By the server's clock: data-now is what it showed when this was written.
const ahead = new WeakMap(); // element → milliseconds by which our clock is ahead

export function watchCountdowns() {
  setInterval(() => {
    for (const element of document.querySelectorAll("[data-until]")) show(element);
  }, 1000);
}

function show(element) {
  if (!ahead.has(element)) ahead.set(element, Date.now() - Date.parse(element.dataset.now));
  const text = words(Math.floor((Date.parse(element.dataset.until) - Date.now() + ahead.get(element)) / 1000));
  if (element.textContent !== text) element.textContent = text;
}

function words(left) {
  if (left <= 0) return "now";
  const two = (number) => String(number).padStart(2, "0");
  if (left >= 3600) return `${Math.floor(left / 3600)} h ${two(Math.floor(left / 60) % 60)} min`;
  return `${Math.floor(left / 60)}:${two(left % 60)}`;
}
