// The keyboard. An element with data-key="r" is pressed by that key while nobody is typing, and by Alt and the key
// at any time; the topmost visible one wins. "?" lists what the page offers. Roving arrows in [data-arrows] lists, whose own
// key leads to their first row; in a row, data-row-key="a" is that row's.
export function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (event.key === "Escape") return close();
    if (isTyping(event.target) && !event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "?" && !event.altKey) return help(event);
    if (moved(event)) return;
    const target = ofRow(event) ?? find(event);
    if (!target) return;
    event.preventDefault();
    if (target.dataset.arrows !== undefined) return target.querySelector("[data-stop]")?.focus();
    if (isTyping(target) || target.matches("summary")) target.focus(); // what a summary opens is next
    if (!isTyping(target)) target.click();
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
    if (event.target.closest?.("[data-closes]")) event.target.closest("dialog")?.close();
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}

export function isTyping(element) {
  if (element.isContentEditable || element.matches?.("textarea, select")) return true;
  return element.matches?.("input") && !["radio", "checkbox", "button", "submit", "range"].includes(element.type);
}

function ofRow(event) {
  const row = event.altKey || isTyping(event.target) ? null : event.target.closest?.("tr");
  return row?.querySelector(`[data-row-key="${CSS.escape(event.key.toLowerCase())}"]:enabled`) ?? undefined;
}

function find(event) {
  // with Alt some keyboards type another letter: the key's place counts then
  const key = event.altKey && event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.key.toLowerCase();
  const all = document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`);
  return [...all].find((element) => !element.disabled && element.checkVisibility());
}

function moved(event) {
  const list = event.target.closest?.("[data-arrows]");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!list || !step || event.altKey) return false;
  const stops = [...list.querySelectorAll("[data-stop]")].filter((stop) => stop.checkVisibility());
  const row = event.target.closest("tr"); // from anywhere in a row
  const next = stops[stops.findIndex((stop) => stop.contains(event.target) || row?.contains(stop)) + step];
  if (!next) return false;
  event.preventDefault();
  next.focus();
  return true;
}

function close() {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
}

function help(event) {
  const dialog = document.getElementById("keys");
  if (!dialog) return;
  event.preventDefault();
  const list = dialog.querySelector("dl");
  list.replaceChildren();
  for (const element of document.querySelectorAll("[data-key]")) {
    if (!element.checkVisibility()) continue;
    const key = document.createElement("dt");
    const word = document.createElement("dd");
    key.append(Object.assign(document.createElement("kbd"), { textContent: element.dataset.key.toUpperCase() }));
    word.textContent = element.dataset.keyWord ?? wordOf(element);
    list.append(key, word);
  }
  dialog.showModal();
}

// a button's own words, without the key that is printed on it
function wordOf(element) {
  const copy = element.cloneNode(true);
  for (const key of copy.querySelectorAll("kbd")) key.remove();
  return copy.textContent.trim().replace(/\s+/g, " ");
}
