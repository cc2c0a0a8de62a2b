/* Pieces put elsewhere by their grips, with mouse, pen or finger: a piece beside a piece of its row, and where pieces
   stand in blocks, beside a piece of any block or at the end of one, and a block beside a block.

   `kinds.piece` and `kinds.block` are their selectors; on a `kinds.grid` a piece takes the place of another.
   `dropped(held, node, where)` is told "before" or "after" what it was let go, or that it comes "into" a block.
   The buttons beside every piece do the same by keyboard. */
window.zk.drag = function (root, kinds, dropped) {
  "use strict";
  const { $, $$ } = window.zk;
  const any = [kinds.block, kinds.piece].filter(Boolean).join();
  const SLACK = 4; // so far a finger may tremble
  const EDGE = 64; // so near the edge the page moves on
  let held = null;
  let begun = null;

  function told(node, where) {
    $$("[data-drop]", root).forEach((other) => delete other.dataset.drop);
    if (node) node.dataset.drop = where === "into" ? "after" : where;
  }
  function place(node, event) {
    const box = node.getBoundingClientRect();
    if (kinds.grid) return held.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING ? "after" : "before";
    return event.clientY < box.top + box.height / 2 ? "before" : "after";
  }
  /* What it would come beside, none where it stands already. */
  function beside(node, event) {
    if (!node || node === held) return null;
    const where = place(node, event);
    const there = where === "before" ? node.previousElementSibling : node.nextElementSibling;
    return there === held ? null : [node, where];
  }
  function target(event) {
    const at = document.elementFromPoint(event.clientX, event.clientY);
    if (!at || !root.contains(at)) return null;
    const piece = at.closest(kinds.piece);
    if (!kinds.block) return piece && piece.parentNode === held.parentNode ? beside(piece, event) : null;
    const block = at.closest(kinds.block);
    if (!block || held.matches(kinds.block)) return beside(block, event);
    if (piece) return beside(piece, event);
    return $$(kinds.piece, block).pop() === held ? null : [block, "into"];
  }

  function scroller() {
    for (let at = held.parentElement; at; at = at.parentElement)
      if (at.scrollHeight > at.clientHeight && /auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
    return document.scrollingElement;
  }
  function creep() {
    const { area, last, from } = begun;
    const box = area === document.scrollingElement ? { top: 0, bottom: innerHeight } : area.getBoundingClientRect();
    const above = Math.max(box.top, 0) + EDGE - last.clientY;
    const below = last.clientY + EDGE - Math.min(box.bottom, innerHeight);
    const by = above > 0 && last.clientY < from.clientY ? -above : below > 0 && last.clientY > from.clientY ? below : 0;
    const before = area.scrollTop;
    if (by) area.scrollTop += Math.sign(by) * Math.ceil(Math.min(Math.abs(by), EDGE) / 4);
    if (area.scrollTop !== before) aim(last);
    begun.frame = requestAnimationFrame(creep);
  }
  function aim(event) {
    begun.found = target(event);
    told(...(begun.found || []));
  }
  function begin() {
    const ghost = document.createElement("div");
    ghost.className = "ghost";
    ghost.textContent = (held.getAttribute("aria-label") || $("b,label,[data-preview]", held).textContent).trim();
    ghost.setAttribute("aria-hidden", "true");
    document.body.append(ghost);
    held.dataset.held = "";
    Object.assign(begun, { ghost, area: scroller(), frame: requestAnimationFrame(creep) });
  }
  function go(event) {
    if (!begun || event.pointerId !== begun.from.pointerId) return;
    const { from } = begun;
    if (!begun.ghost && Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) < SLACK) return;
    begun.last = event;
    if (!begun.ghost) begin();
    const right = Math.min(event.clientX + 14, innerWidth - begun.ghost.offsetWidth - 8);
    begun.ghost.style.transform = `translate(${right}px,${event.clientY - 36}px)`;
    aim(event);
  }
  function end(event) {
    if (!begun || (event.pointerId !== undefined && event.pointerId !== begun.from.pointerId)) return;
    const { ghost, frame, found, grip, from } = begun;
    const piece = held;
    begun = held = null;
    document.removeEventListener("keydown", escape, true);
    if (grip.hasPointerCapture(from.pointerId)) grip.releasePointerCapture(from.pointerId);
    if (!ghost) return;
    cancelAnimationFrame(frame);
    ghost.remove();
    delete piece.dataset.held;
    told();
    if (event.type === "pointerup" && found) dropped(piece, ...found);
  }
  function escape(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    end(event);
  }

  root.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-grip]");
    if (!grip || begun || event.button || !event.isPrimary) return;
    event.preventDefault();
    held = grip.closest(any);
    begun = { from: event, grip };
    grip.setPointerCapture(event.pointerId);
    document.addEventListener("keydown", escape, true);
  });
  root.addEventListener("pointermove", go);
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) root.addEventListener(name, end);
};
