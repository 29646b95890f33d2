// Who works by keyboard stays where they are. A page's own [autofocus] gets the focus where it is seen. When an answer
// replaces what had the focus, and it is not there any more, the nearest place around it that can have the focus gets it.
let around = [];

export function focusPage(page) {
  const wanted = [...page.querySelectorAll("[autofocus]")].find((one) => one.checkVisibility()); // none in a closed dialog
  (wanted ?? page).focus({ preventScroll: true });
}

export function watchFocus() {
  document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
    around = [];
    if (!target.contains(document.activeElement)) return;
    for (let place = target; place; place = place.parentElement) if (place.tabIndex >= 0 || place.id === "page") around.push(place);
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (around.length && document.activeElement === document.body) {
      around.find((place) => place.isConnected)?.focus({ preventScroll: true });
    }
    around = [];
  });
}
