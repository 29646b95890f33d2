// What is typed and not saved is not left without a question: neither by closing the page, nor by the browser's Back, for
// which htmx fetches the page of before into this one.
const QUESTION = "What you typed is not saved. Go on without it?";
let here = location.pathname + location.search;

for (const moved of ["pushedIntoHistory", "replacedInHistory", "historyRestore"]) {
  document.addEventListener(`htmx:${moved}`, ({ detail: { path } }) => {
    here = path;
  });
}

export function goesOn() {
  return confirm(QUESTION);
}

export function watchLeaving(isUnsaved) {
  addEventListener("beforeunload", (event) => {
    if (isUnsaved()) event.preventDefault();
  });
  addEventListener(
    "popstate",
    (event) => {
      if (!event.state?.htmx || !isUnsaved() || goesOn()) return;
      event.stopImmediatePropagation(); // htmx listens, too
      history.pushState({ htmx: true }, "", here);
    },
    true,
  );
}
