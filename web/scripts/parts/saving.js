// Every answer and note is saved as it is given (htmx sends it). Each field says how that went, in the element
//   <span data-saving-state> beside it, inside [data-save];
// what could not be saved is sent again until it is, and leaving the page with something unsaved asks first; by a link of
// the console, which takes the fields away before they have sent, what is on its way is saved first. A button with
// data-after-saving (and an id) counts on the answers: pressed before they are saved, it waits for them.
const again = new Map(); // field → timer
const held = new Set(); // ids of buttons that wait
let leaving = 0; // the timer of a link that waits

export function watchSaving() {
  document.addEventListener("input", (event) => set(event.target, "typing"));
  document.addEventListener("htmx:beforeRequest", (event) => set(event.target, "saving"));
  document.addEventListener("htmx:afterRequest", (event) => {
    const field = event.target.closest?.("[data-save]");
    if (!field) return;
    if (event.detail.successful) {
      clearTimeout(again.get(field));
      again.delete(field);
      if (field.dataset.saving !== "typing") set(field, "saved");
      field.dispatchEvent(new CustomEvent("hotline:saved", { bubbles: true }));
    } else {
      set(field, "failed", decodeURIComponent(event.detail.xhr?.getResponseHeader("X-Sentence") ?? ""));
      // a refusal (4xx) will not change by itself; a lost connection will
      if ((event.detail.xhr?.status ?? 0) < 400) retry(field, event.target);
    }
  });
  document.addEventListener("htmx:confirm", (event) => {
    const { id, dataset } = event.target;
    if (dataset.afterSaving === undefined || !isSaving()) return;
    event.preventDefault();
    if (held.has(id)) return; // pressed twice
    held.add(id);
    const timer = setInterval(() => {
      if (isSaving()) return;
      clearInterval(timer);
      held.delete(id);
      document.getElementById(id)?.click(); // it may have been put there anew meanwhile
    }, 50);
  });
  document.addEventListener("htmx:confirm", (event) => {
    const { elt, verb, target, issueRequest } = event.detail;
    const leaves = verb === "get" && target?.id === "page" && elt.matches("a, form");
    if (!leaves || event.defaultPrevented || !isUnsaved()) return;
    event.preventDefault();
    if (leaving) return; // pressed twice
    const mayAsk = elt.dataset.goes === undefined; // a question would hold back the call that comes
    leaving = setInterval(() => {
      if (isSaving()) return;
      clearInterval(leaving);
      leaving = 0;
      if (!mayAsk || !isUnsaved() || confirm("What you typed is not saved. Go on without it?")) issueRequest(true);
    }, 50);
  });
  addEventListener("beforeunload", (event) => {
    if (isUnsaved()) event.preventDefault();
  });
}

const WORDS = { typing: "…", saving: "Saving …", saved: "Saved", failed: "Not saved" };

function isUnsaved() {
  return document.querySelector("[data-saving=typing], [data-saving=saving], [data-saving=failed]") !== null;
}

function isSaving() {
  return document.querySelector("[data-saving=typing], [data-saving=saving], [data-saves].htmx-request") !== null;
}

function set(element, state, sentence = "") {
  const field = element.closest?.("[data-save]");
  if (!field) return;
  field.dataset.saving = state;
  const place = field.querySelector("[data-saving-state]");
  if (place) place.textContent = sentence || WORDS[state];
}

function retry(field, sender) {
  clearTimeout(again.get(field));
  again.set(
    field,
    setTimeout(() => {
      if (sender.isConnected) sender.dispatchEvent(new CustomEvent("save-again", { bubbles: true }));
    }, 4000),
  );
}
