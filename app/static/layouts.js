/* 页面布局 by drag: sections among each other, fields within and between them. Every change asks the server what it
   does: the draft lives in the page's own inputs, whose order is what is sent. */
(function () {
  "use strict";
  const { $, $$ } = window.zk;
  const form = $("[data-layout]");
  if (!form) return;
  const side = $("[data-side]", form);
  let waiting = 0;
  let asked = null;

  async function look() {
    const sent = new URLSearchParams(new FormData(form));
    sent.set("do", "preview");
    if (asked) asked.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: sent,
        headers: { "X-Zk-Layout": "1" },
        signal: asked.signal,
      });
      if (!answer.ok || answer.redirected) return;
      side.innerHTML = await answer.text();
      $("[data-said]", form).textContent = ($(".note.bad", side) || $("#lo-d small", side)).textContent;
    } catch (_gone) {
      /* the draft stands as it is; saving says what is wrong */
    }
  }
  function changed() {
    ends();
    clearTimeout(waiting);
    waiting = setTimeout(look, 150);
  }
  /* The first cannot go up and the last cannot go down. */
  function ends() {
    const parts = $$("[data-part]", form);
    const spots = $$("[data-spot]", form);
    for (const row of [parts, spots])
      row.forEach((node) => {
        const part = node.closest("[data-part]");
        const at = row === parts ? [node.matches(":first-of-type"), !next(node)] : [
          part === parts[0] && !node.previousElementSibling,
          part === parts[parts.length - 1] && !node.nextElementSibling,
        ];
        const [up, down] = $$(row === parts ? ".lo-t [data-step]" : "[data-step]", node);
        up.disabled = at[0];
        down.disabled = at[1];
      });
  }
  const next = (part) => (part.nextElementSibling && part.nextElementSibling.matches("[data-part]") ? part.nextElementSibling : null);
  const previous = (part) =>
    part.previousElementSibling && part.previousElementSibling.matches("[data-part]") ? part.previousElementSibling : null;

  function step(node, way) {
    if (node.matches("[data-part]")) {
      const near = way < 0 ? previous(node) : next(node);
      if (near) near[way < 0 ? "before" : "after"](node);
      return;
    }
    const near = way < 0 ? node.previousElementSibling : node.nextElementSibling;
    if (near) return void near[way < 0 ? "before" : "after"](node);
    const part = node.closest("[data-part]");
    const other = way < 0 ? previous(part) : next(part);
    if (other) $("ul", other)[way < 0 ? "append" : "prepend"](node);
  }
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (!button) return;
    event.preventDefault();
    step(button.closest("[data-spot],[data-part]"), Number(button.dataset.step));
    changed();
    if (!button.disabled) button.focus();
    else $("[data-step]:not(:disabled)", button.parentElement)?.focus();
  });
  form.addEventListener("change", changed);
  form.addEventListener("input", (event) => event.target.matches(".lo-t .in") && changed());

  window.zk.drag(form, { block: "[data-part]", piece: "[data-spot]" }, (held, node, where) => {
    if (where === "into") $("ul", node).append(held);
    else node[where](held);
    changed();
  });
  const role = $("#lo-role");
  if (role) role.addEventListener("change", () => role.form.submit());
  ends();
})();
