/* Templates: placeholders put in by a click, the preview that follows what is typed, and the print window. */
(function () {
  "use strict";
  const { $, $$ } = window.zk;
  const printed = $("[data-printed]");
  if (printed) window.addEventListener("load", () => window.print());

  const place = $("[data-template]");
  if (!place) return;
  const form = place.closest("form");
  const url = place.dataset.template;
  const look = $("[data-look]", place);
  const marks = $("[data-marks]", place);
  const part = { headers: { "X-Zk-Part": "1" }, credentials: "same-origin" };
  let last = form.elements.body || form.elements.one;
  const about = form.elements.resource || form.elements.sentence;
  /* Before it is said what the text is about, there is nothing to name and nothing to look at. */
  const hints = [look, marks].map((box) => box && box.innerHTML);
  const nothing = () => about && !about.value;
  let waiting = 0;
  let asked = 0;

  form.addEventListener("focusin", (event) => {
    if (["head", "body", "foot", "one", "many"].includes(event.target.name)) last = event.target;
  });

  async function refresh() {
    const mine = ++asked;
    if (nothing()) return void (look.innerHTML = hints[0]);
    const answer = await fetch(`${url}/preview`, { ...part, method: "POST", body: new FormData(form) });
    if (mine !== asked || !answer.ok) return;
    const focused = document.activeElement && document.activeElement.matches("[data-with]");
    look.innerHTML = await answer.text();
    if (focused) $("[data-with]", look)?.focus();
  }

  async function offer() {
    if (!marks) return;
    const of = about && about.value ? `?${about.name}=${encodeURIComponent(about.value)}` : "";
    $("[data-all]", place).href = `${url}/placeholders${of}`;
    if (nothing()) return void (marks.innerHTML = hints[1]);
    const answer = await fetch(`${url}/placeholders${of}`, part);
    if (answer.ok) marks.innerHTML = await answer.text();
  }

  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 350);
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", (event) => {
    if (event.target === about) {
      const chosen = $("[data-with]", look);
      if (chosen) chosen.remove();
      offer();
    }
    soon();
  });
  if (marks) marks.addEventListener("click", (event) => {
    const mark = event.target.closest("[data-mark]");
    if (!mark) return;
    const text = mark.dataset.mark;
    const table = /[:：]/.test(text) && last.selectionStart > 0 && last.value[last.selectionStart - 1] !== "\n";
    last.setRangeText((table ? "\n" : "") + text, last.selectionStart, last.selectionEnd, "end");
    last.focus();
    last.dispatchEvent(new Event("input", { bubbles: true }));
  });
  $("[data-refresh]", place).addEventListener("click", (event) => {
    event.preventDefault();
    refresh();
  });
  $$(".look, .palette", place).forEach((box) => box.classList.add("live"));
  offer();
  refresh();
})();
