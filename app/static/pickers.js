/* Remote pickers: a combobox over `/…/pick/<field>?q=` with recent choices. The chosen id stands in a
   hidden input; while words are typed but nothing is chosen, they go as `<name>__text` instead. */
(function () {
  "use strict";

  const $ = (selector, root) => root.querySelector(selector);
  const who = document.body.dataset.who || "";
  const RECENT = 6;
  let serial = 0;

  const whole = (item) => (item.note ? item.label + " · " + item.note : item.label);

  function recent(key) {
    try {
      return JSON.parse(localStorage.getItem(key) || "[]");
    } catch (_damaged) {
      return [];
    }
  }

  function remember(key, item) {
    const rest = recent(key).filter((one) => one.value !== item.value);
    try {
      localStorage.setItem(key, JSON.stringify([item, ...rest].slice(0, RECENT)));
    } catch (_full) {
      localStorage.removeItem(key);
    }
  }

  function picker(box) {
    const fld = box.closest(".fld") || box;
    const input = $(".in", box);
    const words = input.name;
    const many = box.dataset.multiple;
    const chosen = $(".chosen", box);
    const hidden = many ? null : single();
    const url = new URL(box.dataset.picker, location.href);
    const key = "zk.recent." + who + url.pathname + url.search;
    const list = document.createElement("ul");
    let items = [];
    let active = -1;
    let turn = 0;
    let timer = 0;

    list.className = "list";
    list.id = "list-" + ++serial;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "可选项");
    list.hidden = true;
    box.append(list);
    for (const [name, value] of [
      ["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"],
      ["aria-controls", list.id], ["aria-haspopup", "listbox"],
    ]) input.setAttribute(name, value);
    input.removeAttribute("list");

    const tell = () => input.dispatchEvent(new Event("change", { bubbles: true }));
    const wordsDecide = () => {
      const typed = input.value.trim();
      if (typed && (many || !hidden.value)) input.name = words;
      else input.removeAttribute("name");
    };

    /* Without scripts the chosen one stands as a tick before the words; here it stands in the words. */
    function single() {
      const value = document.createElement("input");
      value.type = "hidden";
      value.name = words.replace(/__text$/, "");
      const old = $("input", chosen);
      if (old && !input.value) {
        value.value = old.value;
        input.value = $("span", chosen).textContent;
      }
      chosen.replaceChildren(value);
      return value;
    }

    function chip(item) {
      const span = document.createElement("span");
      const value = document.createElement("input");
      const text = document.createElement("span");
      const drop = document.createElement("button");
      span.className = "chip";
      value.type = "hidden";
      value.name = many;
      value.value = item.value;
      text.textContent = whole(item);
      drop.type = "button";
      drop.setAttribute("aria-label", "移除" + item.label);
      drop.innerHTML = '<i class="ti ti-x"></i>';
      drop.addEventListener("click", () => {
        span.remove();
        tell();
        input.focus();
      });
      span.append(value, text, drop);
      return span;
    }

    function choose(item, quiet) {
      if (many) {
        const known = Array.from(chosen.querySelectorAll("input")).some((one) => one.value === item.value);
        if (!known) chosen.append(chip(item));
        input.value = "";
      } else {
        hidden.value = item.value;
        input.value = whole(item);
      }
      wordsDecide();
      close();
      if (quiet) return;
      remember(key, { value: item.value, label: item.label, note: item.note || "" });
      hidden?.dispatchEvent(new Event("change", { bubbles: true }));
      tell();
    }

    function forget() {
      if (hidden && hidden.value) {
        hidden.value = "";
        hidden.dispatchEvent(new Event("change", { bubbles: true }));
      }
      wordsDecide();
    }

    function close() {
      clearTimeout(timer);
      turn += 1;
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function info(text) {
      const line = document.createElement("li");
      line.className = "info";
      line.setAttribute("role", "presentation");
      line.textContent = text;
      list.append(line);
    }

    function show(groups, hint) {
      list.replaceChildren();
      items = [];
      for (const [title, group] of groups) {
        if (title && group.length) info(title);
        for (const item of group) {
          const line = document.createElement("li");
          const text = document.createElement("span");
          line.id = list.id + "-" + items.length;
          line.setAttribute("role", "option");
          line.setAttribute("aria-selected", "false");
          text.textContent = item.label;
          line.append(text);
          if (item.note) line.append(Object.assign(document.createElement("small"), { textContent: item.note }));
          line.addEventListener("click", () => choose(item));
          list.append(line);
          items.push({ item, line });
        }
      }
      if (hint) info(hint);
      active = -1;
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }

    function point(to) {
      if (!items.length) return;
      if (active >= 0) items[active].line.setAttribute("aria-selected", "false");
      active = (to + items.length) % items.length;
      items[active].line.setAttribute("aria-selected", "true");
      items[active].line.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", items[active].line.id);
    }

    const above = box.dataset.parent && $(`[data-field="${CSS.escape(box.dataset.parent)}"]`, input.form);

    function parentValue() {
      const source = above && Array.from(input.form.elements).find((e) => e.name === box.dataset.parent);
      return source ? source.value : "";
    }

    async function ask(q) {
      url.searchParams.set("q", q);
      if (above) url.searchParams.set("parent", parentValue());
      const response = await fetch(url, { headers: { Accept: "application/json" } });
      if (!response.ok || response.redirected) throw new TypeError("no answer");
      return (await response.json()).results.map((one) => ({ ...one, value: String(one.value) }));
    }

    /* The parent's only entry is chosen by itself. */
    async function only() {
      const parent = parentValue();
      if (!parent) return;
      try {
        const results = await ask("");
        if (results.length === 1 && parentValue() === parent && !input.value) choose(results[0], true);
      } catch (_offline) {
        // it can still be searched
      }
    }

    async function search() {
      const mine = ++turn;
      const q = hidden && hidden.value ? "" : input.value.trim();
      if (above && "required" in above.dataset && !parentValue()) {
        show([], "请先选择" + $(".lab", above).textContent.replace("*", "").trim());
        return;
      }
      let results;
      try {
        results = await ask(q);
      } catch (_offline) {
        if (mine === turn) show([], "暂时无法搜索，可直接输入完整名称后保存");
        return;
      }
      if (mine !== turn || document.activeElement !== input) return;
      const old = q || box.dataset.parent ? [] : recent(key);
      const fresh = results.filter((one) => !old.some((known) => known.value === one.value));
      show(
        [["最近", old], [old.length ? "全部" : "", fresh]],
        results.length ? "" : q ? `没有找到“${q}”` : above && parentValue() ? "暂无可选项" : input.placeholder,
      );
      if (q && items.length) point(0);
    }

    const soon = (wait) => {
      clearTimeout(timer);
      timer = setTimeout(search, wait);
    };

    input.addEventListener("input", () => {
      forget();
      soon(180);
    });
    input.addEventListener("click", () => list.hidden && soon(0));
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) soon(0);
        else point(active + (event.key === "ArrowDown" ? 1 : active < 0 ? 0 : -1));
      } else if (event.key === "Enter" && !list.hidden && !event.ctrlKey) {
        event.preventDefault();
        if (active >= 0) choose(items[active].item);
      } else if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        event.stopPropagation();
        close();
      } else if (event.key === "Backspace" && many && !input.value && chosen.lastElementChild) {
        chosen.lastElementChild.remove();
        tell();
      }
    });
    input.addEventListener("blur", () => {
      const exact = items.filter(({ item }) => [item.label, whole(item)].includes(input.value.trim()));
      if (exact.length === 1 && !(hidden && hidden.value)) choose(exact[0].item);
      close();
    });
    list.addEventListener("mousedown", (event) => event.preventDefault());

    if (!many) {
      const clear = document.createElement("button");
      clear.type = "button";
      clear.className = "clear";
      clear.setAttribute("aria-label", "清除");
      clear.innerHTML = '<i class="ti ti-x"></i>';
      const dress = () => (clear.hidden = !input.value);
      const empty = () => {
        input.value = "";
        forget();
        dress();
        tell();
      };
      clear.addEventListener("click", () => {
        empty();
        input.focus();
      });
      box.append(clear);
      for (const kind of ["input", "change"]) input.addEventListener(kind, dress);
      dress();
      if (box.dataset.parent)
        input.form.addEventListener("change", (event) => {
          if (event.target.name !== box.dataset.parent) return;
          if (input.value) empty();
          if ("sole" in box.dataset) only();
        });
    } else {
      for (const old of Array.from(chosen.querySelectorAll("label.chip")))
        old.replaceWith(chip({ value: $("input", old).value, label: $("span", old).textContent }));
    }
    fld.addEventListener("zk:fill", (event) => {
      if (many) chosen.replaceChildren();
      for (const [value, label] of event.detail)
        if (value) choose({ value, label }, true);
        else if (!many) {
          hidden.value = "";
          input.value = label;
          wordsDecide();
        }
      tell();
    });
    wordsDecide();
  }

  window.zk.dressers.push((root) => {
    for (const box of root.querySelectorAll("[data-picker]")) if (box.dataset.picker) picker(box);
  });
})();
