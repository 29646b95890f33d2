// Questions of a form: "none of these" stands alone, free text chooses its option, and the whole form is closed until
// the call's part of the page says that the patient is identified (<span data-opens-form="#questions">).
export function watchQuestions() {
  // capturing: before htmx sends what is ticked
  document.addEventListener(
    "change",
    (event) => {
      const box = event.target;
      if (!box.matches?.("[type=checkbox][name=value]") || !box.checked) return;
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
}

function openForms() {
  const sign = document.querySelector("[data-opens-form]");
  const form = sign && document.querySelector(sign.dataset.opensForm);
  if (form) form.disabled = sign.dataset.open !== "yes";
}
