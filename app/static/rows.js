/* Lines picked in rows: added, moved and taken away where they stand. Without this the buttons ask the server. */
(function () {
  "use strict";

  const { $, $$, NAMED } = window.zk;
  const changed = (element) => element.dispatchEvent(new Event("change", { bubbles: true }));

  function dress(list) {
    const fld = list.closest(".fld");
    const add = $("[data-add]", fld);
    const rows = () => Array.from(list.children);

    function empty(row) {
      for (const input of $$(NAMED, row)) {
        if (input.tagName === "SELECT") input.selectedIndex = 0;
        else input.value = "";
      }
    }

    function number() {
      rows().forEach((row, n, all) => {
        const called = `第${n + 1}${list.dataset.rows}`;
        row.setAttribute("aria-label", called);
        $(".n", row).textContent = n + 1;
        for (const button of $$("[data-way]", row)) {
          button.setAttribute("aria-label", button.title + called);
          button.value = `${fld.dataset.field}/${n}/${button.dataset.way}`;
          button.disabled = { up: n === 0, down: n === all.length - 1 }[button.dataset.way] || false;
        }
      });
    }

    function settle(row, button) {
      number();
      changed($(NAMED, row));
      (button && !button.disabled ? button : $(NAMED, row)).focus();
    }

    add.addEventListener("click", (event) => {
      event.preventDefault();
      const row = rows()[0].cloneNode(true);
      for (const input of $$("[id]", row)) input.removeAttribute("id");
      for (const input of $$("[aria-invalid]", row)) input.removeAttribute("aria-invalid");
      empty(row);
      list.append(row);
      settle(row);
    });
    list.addEventListener("click", (event) => {
      const button = event.target.closest("[data-way]");
      if (!button) return;
      event.preventDefault();
      const row = button.closest(".one");
      const before = row.previousElementSibling;
      const after = row.nextElementSibling;
      if (button.dataset.way === "up" && before) before.before(row);
      if (button.dataset.way === "down" && after) after.after(row);
      if (button.dataset.way !== "away") return settle(row, button);
      if (!before && !after) {
        empty(row);
        return settle(row);
      }
      row.remove();
      settle(after || before);
    });
  }

  window.zk.dressers.push((root) => $$("[data-rows]", root).forEach(dress));
})();
