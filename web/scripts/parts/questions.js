// Questions of a form: "none of these" stands alone, free text chooses its option and goes with it, and the whole form is
// closed until the call's part of the page says that the patient is identified (<span data-opens-form="#questions">).
export function watchQuestions() {
  // capturing: before htmx sends what is ticked
  document.addEventListener(
    "change",
    (event) => {
      const box = event.target;
      if (!box.matches?.("[type=checkbox][name=value]")) return;
      if (box.dataset.free !== undefined && !box.checked) box.form.querySelector("[data-other]").value = "";
      if (!box.checked) return;
      const alone = box.dataset.exclusive !== undefined;
      for (const other of box.form?.querySelectorAll("[type=checkbox][name=value]") ?? []) {
        if (other !== box && (alone || other.dataset.exclusive !== undefined)) other.checked = false;
      }
    },
    true,
  );
  document.addEventListener(
    "input",
    (event) => {
      if (event.target.dataset?.other === undefined) return;
      const option = event.target.form?.querySelector("[data-free]");
      if (option && event.target.value) option.checked = true;
    },
    true,
  );
  for (const event of ["hotline:refreshed", "htmx:load"]) document.addEventListener(event, openForms);
  // conditions: what is saved says what is shown now; nothing is fetched anew, so nothing that is typed is lost
  for (const event of ["htmx:afterSwap", "htmx:oobAfterSwap", "hotline:refreshed"]) document.addEventListener(event, show);
  document.addEventListener("htmx:beforeSwap", keepUnsaved);
  document.addEventListener("htmx:afterSettle", giveBack); // when its fields are alive
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-next-question]")) next();
  });
}

function show() {
  const told = document.querySelector("#flags [data-shown]");
  const questions = document.getElementById("questions");
  if (!told || !questions) return;
  const shown = new Set(JSON.parse(told.dataset.shown));
  for (const element of questions.querySelectorAll("[data-item]")) {
    const there = shown.has(element.dataset.item);
    if (!there && element.dataset.repetition !== undefined) element.remove();
    else element.hidden = !there;
  }
}

// "All normal" gives all questions anew; what is not saved yet goes back into its field and is saved.
let unsaved = [];

function keepUnsaved(event) {
  if (event.detail.target?.id !== "questions") return;
  const fields = event.detail.target.querySelectorAll("[data-saving]:not([data-saving=saved]) :is(input, textarea)");
  unsaved = [...fields].map(({ form, name, value, type, checked }) => ({ item: form.dataset.item, name, value, type, checked }));
}

function giveBack(event) {
  if (event.detail.target?.id !== "questions") return;
  for (const { item, name, value, type, checked } of unsaved) {
    const fields = event.detail.target.querySelectorAll(`[data-item="${CSS.escape(item)}"] [name="${CSS.escape(name)}"]`);
    const chosen = ["radio", "checkbox"].includes(type);
    const field = [...fields].find((one) => one.type === type && (!chosen || one.value === value));
    if (!field || (chosen ? field.checked === checked : field.value === value)) continue;
    if (chosen) field.checked = checked;
    else field.value = value;
    field.dispatchEvent(new Event(chosen ? "change" : "input", { bubbles: true }));
  }
  unsaved = [];
}

// To the next question that has no answer, from where the focus is.
function next() {
  const open = [...document.querySelectorAll("#questions form.question:not([data-saving])")].filter(
    (form) => form.checkVisibility() && !form.querySelector("fieldset:disabled"),
  );
  const here = document.activeElement?.closest?.("form.question");
  const after = here ? open.find((form) => here.compareDocumentPosition(form) & Node.DOCUMENT_POSITION_FOLLOWING) : null;
  (after ?? open[0])?.querySelector("input, textarea")?.focus();
}

function openForms() {
  const sign = document.querySelector("[data-opens-form]");
  const form = sign && document.querySelector(sign.dataset.opensForm);
  if (form) form.disabled = sign.dataset.open !== "yes";
}
