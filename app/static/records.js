/* Lists: ticks and the batch bar, row menu, walking through the rows, columns, keyboard. */
(function () {
  "use strict";
  const { $, $$, ask, busy, remember, tabArea, ownArea, typing, narrow, sheet } = window.zk;

  const list = $("[data-list]");
  if (!list) return;
  const table = $("table.rows", list);
  const rows = $$("tbody tr", table).filter((row) => $(".k a", row));
  const link = (row) => $(".k a", row);
  const batch = $("#batch");

  /* ---- filters: addresses without empty parts */
  $$("[data-filters]", list).forEach((form) =>
    form.addEventListener("submit", () => {
      $$("input,select", form).forEach((input) => {
        const words = input.name.endsWith("__text");
        const picked = words && input.parentElement.querySelector("input[type=hidden]");
        if (!input.value || (picked && picked.value)) input.disabled = true;
      });
      setTimeout(() => $$(":disabled", form).forEach((input) => (input.disabled = false)));
    })
  );

  // A period that moves and typed days exclude each other.
  $$(".rng", list).forEach((range) => {
    const period = $(".per", range);
    if (!period) return;
    const ends = $$("input", range);
    period.addEventListener("change", () => period.value && ends.forEach((input) => (input.value = "")));
    ends.forEach((input) => input.addEventListener("input", () => input.value && (period.value = "")));
  });

  /* ---- ticks and the batch bar */
  const ticks = rows.map((row) => $("input[name=id]", row)).filter(Boolean);
  const tickAll = $("[data-do=tick]", list);
  const bar = $(".batch", list);
  const all = $("[data-do=all]", list);
  let everything = false;

  function count() {
    const ticked = ticks.filter((tick) => tick.checked);
    if (everything && ticked.length < ticks.length) everything = false;
    rows.forEach((row) => row.classList.toggle("sel", Boolean($("input:checked", row))));
    if (!bar) return;
    bar.classList.toggle("show", ticked.length > 0);
    $("[data-ticked]", bar).textContent = everything ? all.dataset.total : ticked.length;
    if (all) all.hidden = everything;
    tickAll.checked = ticked.length > 0 && ticked.length === ticks.length;
    tickAll.indeterminate = ticked.length > 0 && ticked.length < ticks.length;
  }
  let last = null;
  if (bar) {
    table.addEventListener("click", (event) => {
      const tick = event.target.closest("input[name=id]");
      if (!tick) return;
      if (event.shiftKey && last) {
        const [a, b] = [ticks.indexOf(last), ticks.indexOf(tick)].sort((x, y) => x - y);
        ticks.slice(a, b + 1).forEach((between) => (between.checked = tick.checked));
      }
      last = tick;
      count();
    });
    tickAll.addEventListener("change", () => {
      ticks.forEach((tick) => (tick.checked = tickAll.checked));
      count();
    });
    bar.addEventListener("click", (event) => {
      const what = event.target.closest("[data-do]");
      if (!what) return;
      everything = what.dataset.do === "all";
      ticks.forEach((tick) => (tick.checked = everything));
      count();
    });
    // "All" travels as all=1 with the list's own query instead of thousands of ids.
    batch.addEventListener("submit", () => {
      $$("[data-extra]", batch).forEach((extra) => extra.remove());
      ticks.forEach((tick) => (tick.disabled = everything));
      if (!everything) return;
      const parts = new URLSearchParams(all.dataset.query);
      parts.set("all", "1");
      parts.forEach((value, name) => {
        const extra = document.createElement("input");
        Object.assign(extra, { type: "hidden", name, value });
        extra.dataset.extra = "";
        batch.append(extra);
      });
      setTimeout(() => ticks.forEach((tick) => (tick.disabled = false)));
    });
    count();
    addEventListener("pageshow", count);

    // A phone shows no ticks until one wants to choose; then a tap chooses instead of opening.
    const mode = document.createElement("button");
    Object.assign(mode, { type: "button", className: "btn2 keep pickmode", textContent: "选择" });
    mode.setAttribute("aria-pressed", "false");
    mode.addEventListener("click", () => {
      const on = list.classList.toggle("picking");
      mode.setAttribute("aria-pressed", String(on));
      mode.textContent = on ? "完成" : "选择";
      if (on) return;
      everything = false;
      ticks.forEach((tick) => (tick.checked = false));
      count();
    });
    const many = $(".many0", list);
    if (list.classList.contains("picking")) mode.remove();
    else if (many) many.after(mode);
    else $(".head .r", list).prepend(mode);
    // With records ticked already, a function of the drop-down 批量 is for those.
    if (many) many.addEventListener("click", (event) => {
      const item = event.target.closest("[data-many]");
      const button = item && ticks.some((tick) => tick.checked) && $(`[data-act="${item.dataset.many}"]`, bar);
      if (!button) return;
      event.preventDefault();
      many.open = false;
      button.click();
    });
  }

  /* ---- row menu */
  const menu = $("#rowmenu");
  let menuRow = null;
  function closeMenu() {
    if (!menu || menu.hidden) return false;
    menu.hidden = true;
    const button = menuRow && $(".rm", menuRow);
    if (button) button.setAttribute("aria-expanded", "false");
    return true;
  }
  function openMenu(row, x, y) {
    menuRow = row;
    menu.hidden = false;
    const box = menu.getBoundingClientRect();
    menu.style.left = Math.max(8, Math.min(x, innerWidth - box.width - 8)) + "px";
    menu.style.top = Math.max(8, Math.min(y, innerHeight - box.height - 8)) + "px";
    $("button", menu).focus();
  }
  function run(item) {
    const id = new URL(link(menuRow).href).pathname.split("/").filter(Boolean).pop();
    const address = new URL(item.dataset.url.replace("{id}", id), location.href);
    const whole = item.dataset.url.includes("{id}");
    if ("form" in item.dataset) {
      if (whole) {
        location.assign(address);
        return;
      }
      address.searchParams.set("id", id);
      point(menuRow);
      sheet.form(address.href, true);
      return;
    }
    const go = () => {
      const form = $("#post");
      form.action = address;
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name: "id", value: id });
      if (!whole) form.append(input);
      busy();
      form.submit();
    };
    if (item.dataset.confirm) ask(item, go);
    else go();
  }
  /* A few actions stand in the row as icons; the rest opens as a menu. */
  function rowButton(item) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "rm", title: item ? item.textContent.trim() : "操作" });
    if (!item) {
      button.setAttribute("aria-haspopup", "menu");
      button.setAttribute("aria-label", button.title);
      return button;
    }
    button.dataset.item = item.dataset.act;
    button.setAttribute("aria-label", button.title);
    button.append($("i", item).cloneNode());
    if (item.getAttribute("aria-disabled")) {
      button.setAttribute("aria-disabled", "true");
      button.title = item.title;
    }
    return button;
  }
  if (menu) {
    const items = $$("button", menu);
    const direct = items.filter((item) => "row" in item.dataset).slice(0, 3);
    const shown = direct.length < items.length ? [...direct, null] : direct;
    rows.forEach((row) => {
      const cell = row.insertCell();
      cell.className = "ac";
      shown.forEach((item) => cell.append(rowButton(item)));
    });
    table.addEventListener("contextmenu", (event) => {
      const row = event.target.closest("tbody tr");
      if (!row || !link(row) || event.shiftKey || event.target.closest("a,input")) return;
      event.preventDefault();
      openMenu(row, event.clientX, event.clientY);
    });
    menu.addEventListener("click", (event) => {
      const item = event.target.closest("button");
      if (!item || item.getAttribute("aria-disabled")) return;
      closeMenu();
      run(item);
    });
    menu.addEventListener("keydown", (event) => {
      const named = $(`[aria-keyshortcuts="${CSS.escape(event.key)}"]`, menu);
      if (named) named.click();
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const items = $$("button", menu);
      items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    });
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target) && !event.target.closest(".rm")) closeMenu();
    });
    addEventListener("scroll", closeMenu, true);
  }

  /* ---- the record of a row in the side sheet */
  let shown = null;
  function openSheet(row) {
    if (narrow()) {
      location.href = link(row).href;
      return;
    }
    shown = row;
    const at = rows.indexOf(row);
    rows.forEach((other) => other.classList.toggle("open", other === row));
    row.scrollIntoView({ block: "nearest" });
    const up = sheet.button("chevron-up", "上一条", "上一条（k）");
    const down = sheet.button("chevron-down", "下一条", "下一条（j）");
    const pos = document.createElement("span");
    up.disabled = at === 0;
    down.disabled = at === rows.length - 1;
    up.addEventListener("click", () => move(-1));
    down.addEventListener("click", () => move(1));
    pos.className = "pos";
    pos.textContent = "本页第 " + (at + 1) + " / " + rows.length + " 条";
    sheet.show(link(row).href, [up, down, pos], () => {
      rows.forEach((other) => other.classList.remove("open"));
      const from = shown;
      shown = null;
      if (from) link(from).focus({ preventScroll: true });
    });
  }
  function move(step) {
    const next = rows[rows.indexOf(shown || current) + step];
    if (!next) return;
    if (shown) openSheet(next);
    point(next);
  }

  /* ---- a list with a toolbar: a click selects the row that its buttons act on, a double click edits it */
  const selects = "selects" in list.dataset;
  const tools = $(".tools", list);
  function select(row) {
    ticks.forEach((tick) => (tick.checked = row.contains(tick)));
    count();
    point(row);
  }
  function say(text) {
    const note = document.createElement("div");
    note.className = "note warning";
    note.setAttribute("role", "alert");
    note.innerHTML = '<i class="ti ti-alert-circle"></i><p></p>';
    $("p", note).textContent = text;
    $$("[data-said]", list).forEach((old) => old.remove());
    note.dataset.said = "";
    tools.before(note);
  }
  if (selects) {
    table.addEventListener("mousedown", (event) => event.detail > 1 && event.preventDefault()); // marks no words
    table.addEventListener("dblclick", (event) => {
      const row = event.target.closest("tbody tr");
      const edit = $("[data-tool$='/edit']", tools);
      if (!row || !link(row) || !edit || event.target.closest("a,input,button,label")) return;
      select(row);
      edit.click();
    });
    tools.addEventListener("click", (event) => {
      const item = event.target.closest("[data-tool]");
      if (!item) return;
      event.preventDefault();
      const chosen = rows.filter((row) => $("input[name=id]:checked", row));
      if (chosen.length !== 1) {
        say(tools.dataset.selectFirst);
        return;
      }
      menuRow = chosen[0];
      const dataset = { url: item.dataset.tool, confirm: item.dataset.confirmRow || "", tone: item.dataset.tone };
      if (!("posts" in item.dataset)) dataset.form = "";
      run({ dataset, textContent: item.textContent });
    });
  }

  let current = null;
  function point(row) {
    if (current) current.classList.remove("cur");
    current = row;
    row.classList.add("cur");
    row.scrollIntoView({ block: "nearest" });
  }
  table.addEventListener("click", (event) => {
    const row = event.target.closest("tbody tr");
    if (!row || !link(row)) return;
    const direct = event.target.closest("[data-item]");
    if (direct) {
      menuRow = row;
      if (!direct.getAttribute("aria-disabled")) run($(`[data-act="${direct.dataset.item}"]`, menu));
      return;
    }
    if (event.target.closest(".rm")) {
      const box = event.target.getBoundingClientRect();
      event.target.setAttribute("aria-expanded", "true");
      if (menuRow === row && !menu.hidden) closeMenu();
      else openMenu(row, box.right - 176, box.bottom + 4);
      return;
    }
    if (event.target.closest("input,button,label,.k input")) return;
    const anchor = event.target.closest("a");
    if (anchor && (anchor.href !== link(row).href || event.ctrlKey || event.metaKey || event.shiftKey)) return;
    if (!selects && String(getSelection())) return;
    event.preventDefault();
    if (selects && !anchor && !narrow()) {
      select(row);
      return;
    }
    if (list.classList.contains("picking")) {
      $("input[name=id]", row).click();
      return;
    }
    point(row);
    if (shown === row) location.href = link(row).href;
    else openSheet(row);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !typing(event.target) && (closeMenu() || sheet.close())) return;
    if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if ((menu && !menu.hidden) || sheet.asking()) return;
    if (event.key === "j" || event.key === "k") {
      if (!current && rows[0]) point(rows[0]);
      else move(event.key === "j" ? 1 : -1);
    } else if (event.key === "Enter" && current && !event.target.closest("a,button,summary")) {
      if (shown === current) location.href = link(current).href;
      else openSheet(current);
    } else if (event.key === "x" && current && bar) {
      const tick = $("input[name=id]", current);
      tick.checked = !tick.checked;
      count();
    }
  });

  /* ---- columns: order in the chooser, width by the edge of a heading */
  const chooser = $("[data-columns]", list);
  if (chooser) {
    const steps = (item) => {
      [["arrow-up", "上移", -1], ["arrow-down", "下移", 1]].forEach(([icon, label, by]) => {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", className: "ico", title: label });
        button.setAttribute("aria-label", label + "「" + item.textContent.trim() + "」");
        button.innerHTML = '<i class="ti ti-' + icon + '"></i>';
        button.addEventListener("click", () => {
          const other = by < 0 ? item.previousElementSibling : item.nextElementSibling;
          if (!other || !other.matches(".it0")) return;
          if (by < 0) other.before(item);
          else other.after(item);
          button.focus();
        });
        item.append(button);
      });
    };
    $$(".it0", chooser).forEach(steps);
    window.zk.drag(chooser, { piece: ".it0" }, (held, item, where) => item[where](held));
  }
  /* What was dragged on a saved view belongs to that view, until it is saved with it. */
  const heads = $$("thead th[data-col]", table);
  const view = list.dataset.view;
  const usual = "zk.widths." + list.dataset.list;
  const store = view ? usual + "." + view : usual;
  const widths = remember(ownArea, store) || {};
  const given = view && !heads.some((head) => head.hasAttribute("width")) ? remember(ownArea, usual) || {} : {};
  const width = (head) => widths[head.dataset.col] || Number(head.getAttribute("width")) || given[head.dataset.col] || 0;
  const kept = () => $$("[data-widths=keep]", list).forEach((form) => (form.hidden = false));
  if (Object.keys(widths).length) kept();
  const wide = (head, px) => (head.style.minWidth = head.style.width = head.style.maxWidth = px + "px");
  heads.forEach((head) => {
    if (width(head)) wide(head, width(head));
    const grip = document.createElement("span");
    grip.className = "grip";
    grip.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      grip.setPointerCapture(event.pointerId);
      const start = event.clientX - head.offsetWidth;
      grip.onpointermove = (going) => wide(head, (widths[head.dataset.col] = Math.max(48, going.clientX - start)));
      grip.onpointerup = () => {
        grip.onpointermove = grip.onpointerup = null;
        remember(ownArea, store, widths);
        kept();
      };
    });
    head.append(grip);
  });
  $$("[data-widths]", list).forEach((form) =>
    form.addEventListener("submit", () => {
      const sent = heads.filter(width).map((head) => ["width." + head.dataset.col, Math.round(width(head))]);
      for (const [name, value] of [["widths", 1], ...sent]) {
        const input = document.createElement("input");
        Object.assign(input, { type: "hidden", name, value });
        form.append(input);
      }
      if (form.dataset.widths) remember(ownArea, store, {});
    }),
  );
  const frame = $(".tbl", list);
  // The columns that stay show an edge as long as others lie beneath them.
  function edges() {
    frame.classList.toggle("scrolled", frame.scrollLeft > 4);
    frame.classList.toggle("beyond", frame.scrollLeft + frame.clientWidth < frame.scrollWidth - 4);
  }
  frame.addEventListener("scroll", edges, { passive: true });
  addEventListener("resize", edges);
  edges();

  /* The rows in their order, for the pages of single records: 上一条 and 下一条 walk the list one came from. */
  remember(tabArea, "zk.walk." + list.dataset.list, {
    url: location.pathname + location.search,
    rows: rows.map((row) => link(row).pathname),
  });
  const before = sheet.again();
  const reopened = before && rows.find((row) => link(row).href === before);
  if (reopened) {
    point(reopened);
    openSheet(reopened);
  }
})();
