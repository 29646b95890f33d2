// The borrowed patient's phone: the keyboard is its keypad, but where a text message is written.
document.addEventListener("keydown", (event) => {
  const phone = document.querySelector("hotline-phone[data-patient]");
  if (!phone || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input")) return;
  if (/^[0-9*#]$/.test(event.key)) phone.press(event.key);
  else if (event.key === "Escape") phone.hangUp();
  else if (event.key === "Enter" && !event.target.closest("button, a")) {
    if (phone.state === "ringing") phone.answer();
    else phone.querySelector("[data-do=dial]").click();
  }
});

// Its text messages: shown anew when one has left the hospital, or was written here.
const shown = document.querySelector("[data-texts]");
const form = document.querySelector("form[data-writes]");

async function show(answer) {
  if (!answer.ok) return;
  shown.innerHTML = await answer.text(); // a part of our own page, escaped there
  shown.scrollTop = shown.scrollHeight;
}

if (shown) {
  const look = async () => show(await fetch(shown.dataset.texts));
  look();
  new EventSource(`${shown.dataset.texts}/live`).addEventListener("message", look);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    form.reset();
    show(await fetch(form.action, { method: "POST", body }));
  });
}
