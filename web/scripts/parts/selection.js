// Rows of a list that are selected for an order: by their boxes, by X on the row that has the focus, by Shift and the
// arrows, all that are shown by E. What is selected stays so while the list is fetched anew, as long as it is there.
import { isTyping } from "./keys.js";

const selected = new Set(); // what data-pick says

export function watchSelection() {
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.id === "pick-all") for (const one of boxes()) set(one, box.checked);
    else if (box.dataset?.pick !== undefined) set(box, box.checked);
    else return;
    show();
  });
  document.addEventListener("keydown", pressed, true); // before the page's own keys
  for (const event of ["hotline:refreshed", "htmx:load"]) document.addEventListener(event, again);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.id !== "orders" || !event.detail.successful) return;
    selected.clear();
    again();
    event.target.querySelector("#skip-reason").value = ""; // the next are skipped for a reason of their own
    document.getElementById("pick-all")?.focus({ preventScroll: true }); // the button is closed now
  });
  again();
}

const boxes = () => [...document.querySelectorAll("[data-pick]")];

function set(box, on) {
  box.checked = on;
  if (on) selected.add(box.dataset.pick);
  else selected.delete(box.dataset.pick);
}

// The list is there, perhaps anew. What has gone from it is not selected any more.
function again() {
  const there = new Set(boxes().map((box) => box.dataset.pick));
  for (const one of [...selected]) if (!there.has(one)) selected.delete(one);
  for (const box of boxes()) box.checked = selected.has(box.dataset.pick);
  for (const told of document.querySelectorAll("#loads option")) {
    const option = document.querySelector(`#give-to option[value="${CSS.escape(told.value)}"]`);
    if (option) option.textContent = told.textContent;
  }
  show();
}

function show() {
  const all = document.getElementById("pick-all");
  if (all) {
    all.checked = selected.size > 0 && selected.size === boxes().length;
    all.indeterminate = selected.size > 0 && !all.checked;
  }
  const count = document.getElementById("picked");
  if (!count) return;
  const said = `${selected.size} selected`;
  if (count.textContent !== said) count.textContent = said;
  for (const button of document.querySelectorAll("#orders .orders button")) button.disabled = selected.size === 0;
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const box = event.target.closest?.("tr")?.querySelector("[data-pick]");
  if (!box || document.querySelector("dialog[open]")) return;
  if (event.key.toLowerCase() === "x") {
    event.preventDefault();
    set(box, !box.checked);
  } else if (event.shiftKey && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    set(box, true); // and the row to which the focus goes
    setTimeout(() => {
      const next = document.activeElement.closest("tr")?.querySelector("[data-pick]");
      if (next) set(next, true);
      show();
    });
  } else return;
  show();
}
