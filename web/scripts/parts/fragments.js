// Parts of a page that follow what happens:
//   <div data-fragment="/agent/pop" data-on="screen_pop call:n1-123.4">
// is fetched again when a notice of such a kind (or of that kind and id) arrives.
//
// Focus is never stolen and no choice is lost: a fragment in which somebody is typing, whose input is not saved yet, or
// in which something was chosen and not sent yet, waits and shows a small mark meanwhile. What was opened stays open,
// unless its form was sent. A fragment whose key (answer's X-Fragment-Key) has not changed is left alone: it is the same
// thing, and its own parts follow by themselves.
import { isTyping } from "./keys.js";
import { Live } from "./live.js";
import { ask } from "./request.js";

const busy = new WeakMap(); // fragment → "asking" | "again" | "overtaken" by the answer to a button: what was asked is old
const shown = new WeakMap(); // fragment → the HTML it was last given
const LATER = 3000; // what could not be fetched is fetched again
let meanwhile = null; // notices since the next page was asked for: its parts are not there yet to hear of them
let htmx;

export function watchFragments(library) {
  htmx = library;
  const position = document.body.dataset.position;
  if (position === undefined) return;
  new Live(position, (notice) => {
    document.dispatchEvent(new CustomEvent("hotline:notice", { detail: notice }));
    meanwhile?.push(notice);
    for (const fragment of document.querySelectorAll("[data-fragment]")) {
      if (concerns(fragment, notice)) refresh(fragment);
    }
  });
  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (detail.target.id === "page") meanwhile = [];
  });
  document.addEventListener("htmx:afterSettle", ({ target }) => {
    if (target.id !== "page") return;
    for (const fragment of target.querySelectorAll("[data-fragment]")) {
      if (meanwhile?.some((notice) => concerns(fragment, notice))) refresh(fragment);
    }
    meanwhile = null;
  });
  // what was told after the first load began is shown already, and newer
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const { elt } = detail.requestConfig ?? {};
    if (elt === detail.target && elt.dataset.fragment !== undefined && shown.has(elt)) detail.shouldSwap = false;
  });
  document.addEventListener("focusout", (event) => {
    const fragment = event.target.closest?.("[data-fragment][data-waiting]");
    if (fragment && !fragment.contains(event.relatedTarget)) setTimeout(() => refresh(fragment), 50);
  });
  // the answer to an earlier button does not take away the dialog that was opened meanwhile
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const fragment = detail.target.closest?.("[data-fragment]");
    if (!fragment?.querySelector("dialog[open]") || detail.requestConfig?.elt.closest("dialog")) return;
    detail.shouldSwap = false;
    mark(fragment);
  });
  // nor, when the page has shown by itself what came of it, what has been typed since
  const before = new WeakMap(); // request → what its fragment showed then
  document.addEventListener("htmx:beforeRequest", ({ detail: { target, xhr } }) => {
    const fragment = target.closest?.("[data-fragment]");
    if (fragment) before.set(xhr, shown.get(fragment));
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const fragment = detail.target.closest?.("[data-fragment]");
    if (!fragment || !before.has(detail.xhr) || before.get(detail.xhr) === shown.get(fragment)) return;
    if (holdsInput(fragment)) detail.shouldSwap = false;
  });
  // what htmx has put there (the first load, the answer to a button) counts as shown too
  document.addEventListener("htmx:afterSwap", ({ detail: { target, xhr } }) => {
    if (target.dataset.fragment === undefined) return;
    const key = xhr.getResponseHeader("X-Fragment-Key");
    if (key) target.dataset.shownKey = key;
    shown.delete(target);
    delete target.dataset.waiting;
    if (busy.has(target)) busy.set(target, "overtaken");
  });
  // what was sent holds nothing back, unless it was refused or is changed again
  document.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => elt.closest("form")?.setAttribute("data-sent", ""));
  document.addEventListener("htmx:afterRequest", ({ detail: { elt, successful } }) => {
    const form = elt.closest("form");
    if (!successful) return form?.removeAttribute("data-sent");
    form?.setAttribute("data-sent", "done");
    const fragment = form?.closest("[data-fragment][data-waiting]");
    if (fragment) refresh(fragment);
  });
  document.addEventListener("input", ({ target }) => target.form?.removeAttribute("data-sent"));
  // a dialog inside holds its fragment back until it is closed
  document.addEventListener(
    "close",
    (event) => {
      const fragment = event.target.closest?.("[data-fragment][data-waiting]");
      if (fragment) refresh(fragment);
    },
    true,
  );
  document.addEventListener("click", (event) => {
    const mark = event.target.closest?.(".waiting-mark");
    if (mark) refresh(mark.parentElement, true);
  });
  document.addEventListener("hotline:saved", (event) => {
    const fragment = event.target.closest?.("[data-fragment][data-waiting]");
    if (fragment && !fragment.contains(document.activeElement)) refresh(fragment);
  });
}

function concerns(fragment, notice) {
  if (notice.kind === "look_again") return true;
  const wanted = (fragment.dataset.on ?? "").split(" ");
  return wanted.includes(notice.kind) || wanted.includes(`${notice.kind}:${notice.id}`);
}

export async function refresh(fragment, atOnce = false) {
  if (busy.has(fragment)) {
    if (busy.get(fragment) === "asking") busy.set(fragment, "again");
    return;
  }
  busy.set(fragment, "asking");
  let failed = false;
  try {
    const answer = await ask(fragment.dataset.fragment);
    const html = await answer.text();
    failed = answer.status >= 500;
    if (answer.ok && busy.get(fragment) !== "overtaken") put(fragment, html, answer.headers.get("X-Fragment-Key"), atOnce);
  } catch {
    failed = true;
  }
  const again = busy.get(fragment) !== "asking";
  busy.delete(fragment);
  if (failed) setTimeout(() => fragment.isConnected && refresh(fragment), LATER);
  if (failed || !again || !fragment.isConnected) return;
  refresh(fragment, atOnce);
  // what was told meanwhile concerned its parts, too, which were not there yet to hear of it
  for (const part of fragment.querySelectorAll("[data-fragment]")) refresh(part);
}

function put(fragment, html, key, atOnce) {
  if (!fragment.isConnected || shown.get(fragment) === html) return;
  if (key && fragment.dataset.shownKey === key) return;
  if (!atOnce && isInUse(fragment)) {
    mark(fragment);
    return;
  }
  const focused = fragment.contains(document.activeElement) ? nameOf(document.activeElement) : "";
  const open = [...fragment.querySelectorAll("details[open]")].filter((one) => !one.querySelector(":scope > form[data-sent=done]"));
  const names = new Set(open.map(nameOf));
  shown.set(fragment, html);
  if (key) fragment.dataset.shownKey = key;
  delete fragment.dataset.waiting;
  fragment.innerHTML = html;
  htmx.process(fragment);
  for (const one of fragment.querySelectorAll("details:not([open])")) one.open = names.has(nameOf(one));
  if (focused) giveFocus(fragment, focused);
  fragment.dispatchEvent(new CustomEvent("hotline:refreshed", { bubbles: true }));
}

// What a thing is called before and after: its id; of what opens, and of the line that opens it, also its words.
function nameOf(element) {
  const box = element.closest("details");
  const opens = element === box || (element.localName === "summary" && element.parentElement === box);
  if (!opens || !box) return element.id;
  return box.id || `summary ${box.querySelector("summary").textContent.split(":")[0].trim()}`;
}

// To the same thing; where that is folded away now, to the line that opens it; where it is gone, to what is around it.
function giveFocus(fragment, name) {
  const boxes = [...fragment.querySelectorAll("details")];
  const same = boxes.find((one) => nameOf(one) === name)?.querySelector("summary") ?? document.getElementById(name);
  const folded = same?.localName === "summary" ? null : same?.closest("details:not([open])");
  const around = fragment.querySelector("[tabindex]") ?? fragment.closest("[tabindex]");
  (folded?.querySelector("summary") ?? same ?? around)?.focus({ preventScroll: true });
}

function holdsInput(fragment) {
  if (fragment.querySelector("[data-saving]:not([data-saving=saved]), [data-state=playing], dialog[open]")) return true;
  return [...fragment.querySelectorAll("form[hx-post]:not([data-save], [data-sent])")].some(isChanged);
}

function isInUse(fragment) {
  if (holdsInput(fragment)) return true;
  const active = document.activeElement;
  if (active === fragment || !fragment.contains(active)) return false;
  if (active.form?.dataset.sent === "done") return false;
  return isTyping(active) || !nameOf(active); // focus on what has a name is given back after the change
}

export function isChanged(form) {
  return [...form.elements].some((control) => {
    if (control.dataset.pick !== undefined) return false; // rows that are chosen are known elsewhere
    if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
    if (control.options) {
      const first = [...control.options].findIndex((option) => option.defaultSelected);
      return control.selectedIndex !== Math.max(first, 0);
    }
    return control.defaultValue !== undefined && control.value !== control.defaultValue;
  });
}

function mark(fragment) {
  if (fragment.dataset.waiting !== undefined) return;
  fragment.dataset.waiting = "";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "waiting-mark";
  button.textContent = fragment.dataset.waitingWord ?? "New – show";
  fragment.prepend(button);
}
