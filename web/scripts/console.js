// The console's own script. Pages are whole HTML from the server; this keeps them live, saves what is typed and
// gives the keyboard its keys. Moving between pages swaps #page only, so that the phone in the bar keeps its call.
import htmx from "htmx.org";
import { watchCountdowns } from "./parts/countdown.js";
import { watchDrafts } from "./parts/drafts.js";
import { focusPage, watchFocus } from "./parts/focus.js";
import { refresh, watchFragments } from "./parts/fragments.js";
import { watchKeys } from "./parts/keys.js";
import { watchQuestions } from "./parts/questions.js";
import { watchSaving } from "./parts/saving.js";
import { watchUse } from "./parts/session.js";
import { watchSelection } from "./parts/selection.js";
import { watchStint } from "./parts/stint.js";
import { notify } from "./parts/notice.js";
import { csrf } from "./parts/request.js";

htmx.config.includeIndicatorStyles = false; // they would be inline
htmx.config.allowEval = false;
htmx.config.historyCacheSize = 0; // patients' pages are not kept in the browser
htmx.config.selfRequestsOnly = true;
htmx.config.scrollIntoViewOnBoost = false;
htmx.config.defaultSettleDelay = 0; // a key that is pressed at once must find its field alive
htmx.config.timeout = 15000;

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = csrf();
});

// A refusal is one plain sentence in the answer's body; it is shown, and what was typed stays where it is. It is heard of the
// request itself: the button may have been refreshed away meanwhile, and htmx would tell nobody.
document.addEventListener("htmx:beforeSend", ({ detail: { elt, xhr } }) => {
  xhr.addEventListener("load", () => xhr.status >= 400 && refused(elt, xhr));
  for (const lost of ["error", "timeout"]) {
    xhr.addEventListener(lost, () => notify("The hotline does not answer. Try again in a moment.", "error"));
  }
});
function refused(elt, xhr) {
  if (xhr.status === 401) {
    notify("You are signed out. Sign in in another tab, then try again: nothing you typed is lost.", "error");
    return;
  }
  if (elt.closest("[data-save]") && xhr.status === 422) return; // said beside the field
  const sentence = xhr.getResponseHeader("X-Sentence");
  notify(sentence ? decodeURIComponent(sentence) : "That did not work. Try again.", "error");
}
// A link may be gone when its page comes: the list that held it was refreshed meanwhile. What it inherits is gone with it,
// and the whole document, with its bar and a second telephone, would be put into #page.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.boosted || event.detail.target.id !== "page") return;
  event.detail.selectOverride = "#page";
  event.detail.swapOverride = "outerHTML";
});
// What was asked in a dialog is done: it has said its word.
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful) return;
  event.target.closest?.("dialog[open]")?.close();
  if (event.target.matches?.("form[data-empties]")) event.target.reset(); // or the same would be made twice
});

function markCurrentPage() {
  for (const link of document.querySelectorAll(".bar nav a")) {
    const paths = [link.pathname, ...(link.dataset.also ?? "").split(" ").filter(Boolean)];
    const here = paths.some((path) => location.pathname === path || location.pathname.startsWith(`${path}/`));
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "page" && event.target?.id !== "page") return;
  markCurrentPage();
  closeMenus();
  focusPage(document.getElementById("page"));
});

// A menu closes when something else is looked at.
function closeMenus(but) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) if (menu !== but) menu.open = false;
}
// In [data-one-open] one is open at a time. (By the same `name` what an answer brings would be closed: the old is there yet.)
function closeOthers({ target }) {
  if (!target.open || target.parentElement?.dataset.oneOpen === undefined) return;
  for (const other of target.parentElement.querySelectorAll(":scope > details[open]")) if (other !== target) other.open = false;
}
document.addEventListener("toggle", closeOthers, true);
document.addEventListener("click", (event) => closeMenus(event.target.closest("details[data-menu]")));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

markCurrentPage();
watchFragments(htmx);
watchCountdowns();
watchDrafts();
watchSaving();
watchFocus();
watchKeys();
watchQuestions();
watchSelection();
watchStint(refresh);
watchUse();
