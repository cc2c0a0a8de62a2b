/* The editor of dictionaries: rows moved by hand, colours shown while chosen, use counts that come by
   themselves. Everything is saved by the form's own buttons, and works without this. */
(function () {
  "use strict";
  const form = document.querySelector("[data-dictionary]");
  const $$ = (selector, root) => Array.from((root || document).querySelectorAll(selector));

  const find = document.querySelector("[data-find]");
  if (find) {
    find.addEventListener("input", () => {
      const words = find.value.trim().toLowerCase();
      for (const section of $$(".roles section")) {
        const whole = section.querySelector("h2").textContent.toLowerCase().includes(words);
        const links = $$("a", section);
        for (const link of links) link.hidden = !whole && !link.textContent.toLowerCase().includes(words);
        section.hidden = links.every((link) => link.hidden);
      }
    });
  }
  if (!form) return;

  const note = form.querySelector("[data-dirty]");
  const dirty = () => note && (note.hidden = false);
  form.addEventListener("input", (event) => {
    dirty();
    const row = event.target.closest("[data-option]");
    if (!row) return;
    const tag = row.querySelector("[data-preview]");
    tag.className = "t " + row.querySelector("[name^=tone]").selectedOptions[0].dataset.tone;
    tag.textContent = row.querySelector("[name^=label]").value;
    row.classList.toggle("off0", !row.querySelector("[name^=active]").checked);
  });

  /* ---- the order */
  function ends(section) {
    const rows = $$("[data-option]", section);
    rows.forEach((row, n) => {
      row.querySelector("[name=up]").disabled = n === 0;
      row.querySelector("[name=down]").disabled = n === rows.length - 1;
    });
  }
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[name=up],[name=down]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("[data-option]");
    if (button.name === "up") row.previousElementSibling.before(row);
    else row.nextElementSibling.after(row);
    ends(row.parentNode);
    (button.disabled ? row.querySelector("[name=up]:enabled,[name=down]:enabled") : button).focus();
    dirty();
  });

  window.zk.drag(form, { piece: "[data-option]" }, (held, row, where) => {
    row[where](held);
    ends(held.parentNode);
    dirty();
  });

  /* ---- how often each is used */
  async function count() {
    const cells = $$("[data-value]", form);
    for (const cell of cells) cell.textContent = "…";
    let found = {};
    try {
      const answer = await fetch(form.dataset.uses, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.statusText);
      found = (await answer.json()).uses;
    } catch (failed) {
      for (const cell of cells) cell.textContent = "—";
      return;
    }
    for (const cell of cells) cell.textContent = found[cell.dataset.value] || "—";
  }
  if (form.dataset.uses) count();
})();
