// What is typed into <form data-draft> is kept only when it is saved. Until then leaving the page asks first, and so does
// whatever would put something else in its place. Beside it:
//   data-about-draft="sent"    takes no harm: what is typed goes along, or was asked about already
//   data-about-draft="first"   does not go on before what is typed is saved
//   data-about-draft="gone"    asks: the form is filled anew afterwards, and what was typed is given up
// A panel says by [data-draft-now] what data-draft is now: published or thrown away there, the form is filled anew.
import { isChanged } from "./fragments.js";
import { goesOn, watchLeaving } from "./leaving.js";
import { notify } from "./notice.js";

export function watchDrafts() {
  watchLeaving(() => changed() !== undefined);
  document.addEventListener("htmx:confirm", (event) => {
    const { elt, target } = event.detail;
    const form = changed();
    const about = elt.dataset.aboutDraft ?? "";
    if (elt === filler()) {
      if (!isBehind()) event.preventDefault(); // asked for twice, and the first answer has come
      return;
    }
    if (!form || elt === form || about === "sent") return;
    if (about === "first") {
      event.preventDefault();
      notify("Not published: save and check what you typed first.", "error");
    } else if (about === "gone" || target?.contains(form)) {
      if (!goesOn()) event.preventDefault();
      else if (about === "gone") form.dataset.givenUp = "";
    }
  });
  document.addEventListener("input", ({ target }) => keep(target.form));
  document.addEventListener("htmx:afterRequest", ({ detail: { elt, successful } }) => {
    if (!successful && elt.dataset.aboutDraft === "gone") keep(document.querySelector("form[data-given-up]"));
  });
  document.addEventListener("htmx:beforeSwap", keepTyping);
  document.addEventListener("htmx:afterSettle", giveBack);
  for (const event of ["hotline:refreshed", "htmx:afterSwap"]) document.addEventListener(event, fillAnew);
}

function fillAnew({ target }) {
  if (target.querySelector?.(":scope > [data-draft-now]") && isBehind()) filler()?.dispatchEvent(new Event("hotline:draft"));
}

function filler() {
  return document.getElementById("fills-editor");
}

function isBehind() {
  const now = document.querySelector("[data-draft-now]")?.dataset.draftNow;
  const form = document.querySelector("form[data-draft]");
  return now !== undefined && form !== null && form.dataset.draft !== now && !changed();
}

function changed() {
  return [...document.querySelectorAll("form[data-draft]:not([data-given-up])")].find(isChanged);
}

function keep(form) {
  form?.removeAttribute("data-given-up");
}

// What was typed while the answer was on its way is not in it.
let typed = [];

function keepTyping({ detail: { target, shouldSwap, requestConfig } }) {
  const form = shouldSwap && target.querySelector("form[data-draft]:not([data-given-up])");
  if (!form) return;
  const { elt, formData: sent } = requestConfig;
  const before = (field) => (sent.has(field.name) ? sent.get(field.name).replaceAll("\r\n", "\n") : field.defaultValue);
  if (elt !== form && elt.dataset.aboutDraft !== "sent") return; // it was asked about, and may go
  typed = [...form.querySelectorAll("textarea, input[type=text]")]
    .filter((field) => before(field) !== field.value)
    .map(({ name, value }) => [name, value]);
}

function giveBack() {
  for (const [name, value] of typed) {
    const field = document.querySelector(`form[data-draft] [name="${CSS.escape(name)}"]`);
    if (!field) continue;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  typed = [];
}
