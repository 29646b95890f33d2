// The borrowed patient's phone: the keyboard is its keypad.
document.addEventListener("keydown", (event) => {
  const phone = document.querySelector("hotline-phone[data-patient]");
  if (!phone || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[0-9*#]$/.test(event.key)) phone.press(event.key);
  else if (event.key === "Escape") phone.hangUp();
  else if (event.key === "Enter" && !event.target.closest("button, a")) {
    if (phone.state === "ringing") phone.answer();
    else phone.querySelector("[data-do=dial]").click();
  }
});
