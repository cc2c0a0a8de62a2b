/* Blocks and the pieces in them, put elsewhere by their grips: a block beside a block, a piece beside a piece or at the
   end of a block. `dropped(held, node, where)` is told beside which ("over" or "after") or in which block it was let go. */
window.zk.drag = function (form, block, piece, dropped) {
  "use strict";
  const { $$ } = window.zk;
  const any = `${block},${piece}`;
  let held = null;

  const mark = (node, where) => {
    $$(".over,.after", form).forEach((other) => other.classList.remove("over", "after"));
    if (node) node.classList.add(where);
  };
  const half = (node, event) => {
    const box = node.getBoundingClientRect();
    return event.clientY < box.top + box.height / 2 ? "over" : "after";
  };
  function target(event) {
    const near = event.target.closest(block);
    if (!held || !near) return null;
    if (held.matches(block)) return near === held ? null : [near, half(near, event)];
    const beside = event.target.closest(piece);
    if (beside) return beside === held ? null : [beside, half(beside, event)];
    return [near, "after"];
  }
  form.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-grip]");
    if (grip) grip.closest(any).draggable = true;
  });
  form.addEventListener("pointerup", () => $$("[draggable=true]", form).forEach((node) => (node.draggable = false)));
  form.addEventListener("dragstart", (event) => {
    held = event.target.closest(any);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", held.dataset.key);
    held.classList.add("held");
  });
  form.addEventListener("dragend", () => {
    if (held) {
      held.draggable = false;
      held.classList.remove("held");
    }
    held = null;
    mark(null);
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
    dropped(held, ...found);
  });
};
