/* Shows new mails and the current codes without a reload. The page works without it. */
"use strict";

(() => {
  const mails = document.getElementById("mails");
  const codes = document.getElementById("codes");

  const refreshMails = async () => {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("mails");
    const shown = document.getElementById("mails");
    // Replacing a part that has the keyboard's focus would take it away.
    if (fresh && shown.innerHTML !== fresh.innerHTML && !shown.contains(document.activeElement)) {
      shown.replaceChildren(...fresh.childNodes);
    }
  };

  const refreshCodes = async () => {
    const answer = await fetch("/totp.json");
    if (!answer.ok) return;
    for (const code of await answer.json()) {
      const card = codes.querySelector(`[data-login-id="${CSS.escape(code.login_id)}"]`);
      if (!card) continue;
      card.querySelector("[data-code]").textContent = code.code;
      card.querySelector("[data-seconds]").textContent = String(code.seconds_left);
    }
  };

  const repeat = async (task, milliseconds) => {
    // A stopped demo is no error of the page: it goes on when the demo is back.
    if (!document.hidden) await task().catch(() => {});
    setTimeout(repeat, milliseconds, task, milliseconds);
  };

  if (mails) repeat(refreshMails, 2000);
  if (codes) repeat(refreshCodes, 1000);
})();
