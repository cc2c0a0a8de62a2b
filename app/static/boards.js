/* Arranging a dashboard by dragging its tiles; the order is sent as the buttons would make it. */
(function () {
  "use strict";
  const { $, $$ } = window.zk;
  const place = $(".arranging");
  const form = $("[data-order]");
  if (!place || !form) return;
  window.zk.drag(place, { piece: "[data-tile]", grid: true }, (held, tile, where) => {
    tile[where](held);
    form.elements.keys.value = $$("[data-tile]", place).map((one) => one.dataset.tile).join(",");
    form.requestSubmit();
  });
})();
