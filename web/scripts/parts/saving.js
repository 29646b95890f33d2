// Every answer and note is saved as it is given (htmx sends it). Each field says how that went, in the element
//   <span data-saving-state> beside it, inside [data-save];
// what could not be saved is sent again until it is, and leaving the page with something unsaved asks first; by a link of
// the console, which takes the fields away before they have sent, what is on its way is saved first. A button with
// data-after-saving (and an id) counts on the answers: pressed before they are saved, it waits for them. Where that takes
// too long, both ask.
import { goesOn, watchLeaving } from "./leaving.js";

const LONGEST_MS = 5000;
const again = new Map(); // field → timer
const held = new Set(); // ids of buttons that wait
let leaving = false; // a link waits
let goesAnyway = null; // the button that may go on with something unsaved

export function watchSaving() {
  document.addEventListener("input", ({ target }) => {
    if (target.hasAttribute?.("hx-post")) set(target, "typing"); // nothing else would end that
  });
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
    if (dataset.afterSaving === undefined || event.target === goesAnyway || !isSaving()) return;
    event.preventDefault();
    if (held.has(id)) return; // pressed twice
    held.add(id);
    afterSaving(() => {
      held.delete(id);
      const button = document.getElementById(id); // it may have been put there anew meanwhile
      if (isSaving() && !goesOn()) return;
      goesAnyway = button;
      button?.click();
      goesAnyway = null;
    });
  });
  document.addEventListener("htmx:confirm", (event) => {
    const { elt, verb, target, issueRequest } = event.detail;
    const leaves = verb === "get" && target?.id === "page" && elt.matches("a, form");
    if (!leaves || event.defaultPrevented || elt === goesAnyway || !isUnsaved()) return;
    event.preventDefault();
    if (leaving) return; // pressed twice
    leaving = true;
    const mayAsk = elt.dataset.goes === undefined; // a question would hold back the call that comes
    afterSaving(() => {
      leaving = false;
      if (!mayAsk) sendNow();
      else if (isUnsaved() && !goesOn()) return;
      if (elt.isConnected) return issueRequest(true);
      goesAnyway = sameAs(elt); // what it stood in was put there anew meanwhile
      goesAnyway?.click();
      goesAnyway = null;
    });
  });
  watchLeaving(isUnsaved);
}

// When nothing is on its way any more, or that takes too long.
function afterSaving(go) {
  const latest = Date.now() + LONGEST_MS;
  const timer = setInterval(() => {
    if (isSaving() && Date.now() < latest) return;
    clearInterval(timer);
    go();
  }, 50);
}

// Who types on and on has not sent the last words yet.
function sendNow() {
  const field = document.activeElement;
  if (field.closest("[data-saving=typing]")) field.dispatchEvent(new CustomEvent("save-again", { bubbles: true }));
}

function sameAs({ dataset: { goes }, attributes: { href } }) {
  const like = goes === undefined ? `a[href="${CSS.escape(href?.value ?? "")}"]` : `[data-goes="${CSS.escape(goes)}"]`;
  return document.querySelector(like);
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
