/* Choosing customers to hand over: all at once, and how many are ticked. */
(function () {
  "use strict";
  const head = document.querySelector("[data-tick]");
  if (!head) return;
  const form = head.form || head.closest("form");
  const boxes = Array.from(form.querySelectorAll("input[name=id]"));
  const said = form.querySelector("[data-ticked]");
  function count() {
    const ticked = boxes.filter((box) => box.checked).length;
    head.checked = ticked > 0 && ticked === boxes.length;
    head.indeterminate = ticked > 0 && ticked < boxes.length;
    said.textContent = ticked ? "（" + ticked + " 位）" : "";
  }
  head.addEventListener("change", () => {
    boxes.forEach((box) => (box.checked = head.checked));
    count();
  });
  form.addEventListener("change", count);
  form.addEventListener("click", (event) => {
    const row = event.target.closest("tbody tr");
    if (!row || event.target.closest("a,input,label,button")) return;
    row.querySelector("input[name=id]").click();
  });
  count();
})();
