// One call after the other: the form of whoever is called opens by itself, once for each call. A nurse who has gone to
// another page meanwhile is not brought back.
//   <a hidden data-goes="attempt id" href="/followups/…">
const OPENED = "hotline-opened";

export function watchStint(refresh) {
  for (const happened of ["hotline:refreshed", "htmx:afterSwap"]) document.addEventListener(happened, open);
  setInterval(() => ended(refresh), 1000);
}

function open() {
  const link = document.querySelector("[data-goes]");
  if (!link || sessionStorage.getItem(OPENED) === link.dataset.goes) return;
  sessionStorage.setItem(OPENED, link.dataset.goes);
  if (location.pathname !== link.pathname) link.click();
}

// What counts down (countdown.js) has come to its end: the nurse is free, and her page shows it.
function ended(refresh) {
  for (const place of document.querySelectorAll("[data-fragment='/stint'] [data-until]")) {
    if (Date.parse(place.dataset.until) > Date.now() || place.dataset.asked) continue;
    place.dataset.asked = "yes";
    refresh(place.closest("[data-fragment]"));
  }
}
