// Whether somebody is there, and whether they are still signed in. A session ends some time after its last use; what a page
// fetches by itself is none. A hand on it is, and so is what says [data-at-work]: taking calls, or a screen on the wall;
// and a talk on the page's phone, or a recording that plays.
import { ask } from "./request.js";

const TOLD_EVERY = 60000;
const AT_WORK = "[data-at-work], hotline-phone[data-state=talking], [data-state=playing]";

export function watchUse() {
  let used = false;
  for (const event of ["keydown", "pointerdown", "wheel"]) {
    document.addEventListener(event, () => (used = true), { capture: true, passive: true });
  }
  setInterval(() => {
    if (!used && !document.querySelector(AT_WORK)) return;
    used = false;
    ask("/session", { method: "POST" }).catch(() => {}); // the stream says when the hotline is away
  }, TOLD_EVERY);
}

// "here", "out", "other": somebody else has signed in; "away": the hotline does not answer. Who has signed in again goes on
// with what is typed here, by the new session's token.
export async function whoIsHere() {
  try {
    const answer = await ask("/session");
    if (!answer.ok) return answer.status === 401 ? "out" : "away";
    const { account, csrf } = await answer.json();
    const meta = document.querySelector("meta[name=csrf]");
    if (account !== meta.dataset.account) return "other";
    meta.content = csrf;
    for (const field of document.querySelectorAll("input[name=csrf]")) field.value = csrf;
    return "here";
  } catch {
    return "away";
  }
}
