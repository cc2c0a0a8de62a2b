/* "⋯" beside an entry of the menu, for those who may shape it: rename, hide, all settings. Without scripts the
   same button opens the entry's own page. */
(function () {
  "use strict";
  const { $, $$ } = window.zk;
  const tool = $("#menutool");
  const base = $("#menu-entry") && $("#menu-entry").getAttribute("action").replace(/edit$/, "");
  if (!tool || !base) return;
  let pop = null;
  let from = null;

  function close(back) {
    if (!pop) return;
    pop.remove();
    pop = null;
    from.setAttribute("aria-expanded", "false");
    if (back) from.focus();
  }
  function element(tag, given, icon, words) {
    const made = document.createElement(tag);
    Object.entries(given).forEach(([name, value]) => made.setAttribute(name, value));
    if (icon) {
      const mark = document.createElement("i");
      mark.className = "ti ti-" + icon;
      made.append(mark);
    }
    if (words) made.append(words);
    return made;
  }
  function place() {
    const beside = from.getBoundingClientRect();
    const box = pop.getBoundingClientRect();
    pop.style.left = Math.max(8, Math.min(beside.left, innerWidth - box.width - 8)) + "px";
    const below = beside.bottom + 4;
    pop.style.top = (below + box.height > innerHeight - 8 ? Math.max(8, beside.top - box.height - 4) : below) + "px";
  }
  function rename() {
    const row = element("div", { class: "row" });
    const name = element("input", { class: "inp", name: "label", form: "menutool", maxlength: "20", "aria-label": "新名称" });
    const key = element("input", { type: "hidden", name: "key", value: from.value, form: "menutool" });
    name.value = from.dataset.name;
    row.append(name, key, element("button", { class: "btn1", form: "menutool", formaction: base + "edit" }, "", "保存"));
    pop.replaceChildren(row);
    place();
    name.focus();
    name.select();
  }
  function open(button) {
    from = button;
    from.setAttribute("aria-expanded", "true");
    pop = element("div", { class: "pop mpop", role: "group", "aria-label": "调整菜单项 " + button.dataset.name });
    const again = element("button", { class: "it", type: "button" }, "pencil", "重命名");
    again.addEventListener("click", (event) => {
      event.stopPropagation();
      rename();
    });
    pop.append(again);
    const page = $('.nav a[data-key="' + CSS.escape(button.value) + '"]');
    if (!page || page.getAttribute("href") !== base) {
      pop.append(element("button", { class: "it", form: "menutool", formaction: base + "?do=hide", name: "key", value: button.value }, "eye-off", "隐藏"));
    }
    pop.append(element("a", { href: base }, "list-details", "菜单设置"));
    document.body.append(pop);
    place();
    again.focus();
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".nav .tune");
    if (button) {
      event.preventDefault();
      const same = pop && from === button;
      close(false);
      if (!same) open(button);
    } else if (pop && !pop.contains(event.target)) close(false);
  });
  document.addEventListener("keydown", (event) => {
    if (!pop) return;
    if (event.key === "Escape") {
      event.stopImmediatePropagation();
      close(true);
      return;
    }
    const within = $$("button,a,input:not([type=hidden])", pop);
    const at = within.indexOf(document.activeElement);
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && at >= 0) {
      event.preventDefault();
      within[(at + (event.key === "ArrowDown" ? 1 : -1) + within.length) % within.length].focus();
    }
    if (event.key === "Tab" && (event.shiftKey ? at === 0 : at === within.length - 1)) close(true);
  }, true);
  // The menu may scroll and a phone's keyboard may rise while it is open: it stays with its entry.
  $(".nav").addEventListener("scroll", () => pop && place());
  addEventListener("resize", () => pop && place());
})();
