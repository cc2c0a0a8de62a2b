/* The menu by drag: a piece is put before another one, or at the end of a group. Arrows do the same step by step. */
(function () {
  "use strict";
  const { $, $$ } = window.zk;
  const form = $("[data-menu]");
  if (!form || !("may" in form.dataset)) return;
  let held = null;

  const of = (node) => (node.matches("[data-block]") ? "block" : "piece");
  const mark = (node, where) => {
    $$(".over,.after", form).forEach((other) => other.classList.remove("over", "after"));
    if (node) node.classList.add(where);
  };
  function target(event) {
    const block = event.target.closest("[data-block]");
    if (!held || !block) return null;
    if (of(held) === "block") {
      if (block === held) return null;
      const box = block.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2 ? [block, "over"] : [block, "after"];
    }
    const line = event.target.closest("[data-piece]");
    if (!line) return [block, "after"];
    const box = line.getBoundingClientRect();
    return line === held ? null : [line, event.clientY < box.top + box.height / 2 ? "over" : "after"];
  }
  function next(node, where) {
    if (where === "over") return node.dataset.key;
    let after = node.nextElementSibling;
    while (after && (!after.dataset.key || after === held)) after = after.nextElementSibling;
    return after ? after.dataset.key : "";
  }
  $$("[data-block],[data-piece]", form).forEach((node) => {
    const grip = $("[data-grip]", node);
    grip.addEventListener("pointerdown", () => (node.draggable = true));
    grip.addEventListener("pointerup", () => (node.draggable = false));
    node.addEventListener("dragstart", (event) => {
      event.stopPropagation();
      held = node;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", node.dataset.key);
      node.classList.add("held");
    });
    node.addEventListener("dragend", () => {
      node.draggable = false;
      node.classList.remove("held");
      held = null;
      mark(null);
    });
  });
  form.addEventListener("dragover", (event) => {
    const found = target(event);
    if (!found) return mark(null);
    event.preventDefault();
    return mark(...found);
  });
  form.addEventListener("drop", (event) => {
    const found = target(event);
    if (!found) return;
    event.preventDefault();
    const [node, where] = found;
    const block = of(held) === "block";
    const given = {
      key: held.dataset.key,
      version: held.dataset.version,
      place: block ? "" : node.closest("[data-block]").dataset.key,
      before: !block && node.matches("[data-block]") ? "" : next(node, where),
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
