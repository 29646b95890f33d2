// The one place for a passing sentence, read out by screen readers too.
let timer;

export function notify(sentence, kind = "info") {
  const place = document.getElementById("notice");
  if (!place) return;
  clearTimeout(timer);
  place.textContent = sentence;
  place.dataset.kind = kind;
  place.hidden = false;
  timer = setTimeout(() => {
    place.hidden = true;
    place.textContent = "";
  }, kind === "error" ? 9000 : 4000);
}
