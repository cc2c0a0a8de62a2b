/* The menu by drag: a piece is put before another one, or at the end of a group. Arrows do the same step by step. */
(function () {
  "use strict";
  const { $ } = window.zk;
  const form = $("[data-menu]");
  if (!form || !("may" in form.dataset)) return;

  function next(node, where, held) {
    if (where === "before") return node.dataset.key;
    let after = node.nextElementSibling;
    while (after && (!after.dataset.key || after === held)) after = after.nextElementSibling;
    return after ? after.dataset.key : "";
  }
  window.zk.drag(form, { block: "[data-block]", piece: "[data-piece]" }, (held, node, where) => {
    const block = held.matches("[data-block]");
    const given = {
      key: held.dataset.key,
      version: held.dataset.version,
      place: block ? "" : node.closest("[data-block]").dataset.key,
      before: where === "into" ? "" : next(node, where, held),
    };
    Object.entries(given).forEach(([name, value]) => {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name, value });
      form.append(input);
    });
    form.action = form.dataset.menu + "?do=move";
    window.zk.busy();
    form.submit();
  });
})();
