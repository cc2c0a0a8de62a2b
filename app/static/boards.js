/* Arranging a dashboard by dragging its tiles; the order is sent as the buttons would make it. */
(function () {
  "use strict";
  const { $, $$ } = window.zk;
  const place = $(".arranging");
  const form = $("[data-order]");
  if (!place || !form) return;
  let held = null;
  let aimed = null;

  function mark(tile) {
    if (aimed) aimed.classList.remove("aimed");
    aimed = tile;
    if (aimed) aimed.classList.add("aimed");
  }

  place.addEventListener("dragstart", (event) => {
    if (!event.target.matches("[data-grip]")) return;
    held = event.target.closest("[data-tile]");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", held.dataset.tile);
    event.dataTransfer.setDragImage(held, 20, 20);
    held.classList.add("held");
  });
  place.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-tile]");
    if (!held || !over) return;
    event.preventDefault();
    if (over === aimed) return;
    mark(over === held ? null : over);
  });
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!held || !aimed) return;
    const tiles = $$("[data-tile]", place);
    place.insertBefore(held, tiles.indexOf(aimed) > tiles.indexOf(held) ? aimed.nextSibling : aimed);
    form.elements.keys.value = $$("[data-tile]", place).map((tile) => tile.dataset.tile).join(",");
    form.requestSubmit();
  });
  place.addEventListener("dragend", () => {
    if (held) held.classList.remove("held");
    mark(null);
    held = null;
  });
})();
