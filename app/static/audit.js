/* A verdict is given in its place: the other entries keep what is typed in them. */
(function () {
  "use strict";
  const table = document.querySelector("table.judging");
  if (!table) return;
  table.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-judge]");
    if (!form) return;
    event.preventDefault();
    const entry = form.closest("[data-entry]");
    const button = form.querySelector("button:not([type])");
    const sent = new FormData(form);
    button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: sent, headers: { "X-Zk-Row": "1" } });
      const text = await answer.text();
      const page = new DOMParser().parseFromString("<table>" + text + "</table>", "text/html");
      const fresh = page.querySelector("[data-entry]");
      if (!fresh) throw new Error(answer.status);
      entry.replaceWith(fresh);
      const following = answer.ok && fresh.nextElementSibling;
      const next = fresh.querySelector("[aria-invalid]") || fresh.querySelector("[data-judge] button:not([type])") ||
        (following && following.querySelector("input[type=radio]")) || fresh.querySelector("a,summary");
      if (next) next.focus();
    } catch (failed) {
      form.submit(); // the page itself says what is wrong
    }
  });
})();
