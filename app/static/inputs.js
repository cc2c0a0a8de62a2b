/* Single inputs: dates after an error, masked values, counters, passwords, several phones, the theme. */
(function () {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const changed = (element) => element.dispatchEvent(new Event("change", { bubbles: true }));

  /* ---- several phones: one line each */

  function phones(box) {
    const lines = () => $$(".line", box);
    lines().slice(1).filter((line) => !$("input", line).value).forEach((line) => line.remove());
    const add = document.createElement("button");
    add.type = "button";
    add.className = "link";
    add.dataset.add = "";
    add.textContent = "＋ 添加" + box.dataset.phones;
    const dress = (line) => {
      if (line === lines()[0] || $("button", line)) return;
      const drop = document.createElement("button");
      drop.type = "button";
      drop.className = "ico";
      drop.setAttribute("aria-label", "删除此项");
      drop.innerHTML = '<i class="ti ti-x"></i>';
      drop.addEventListener("click", () => {
        line.remove();
        const first = $("input", box);
        changed(first);
        first.focus();
      });
      line.append(drop);
    };
    lines().forEach(dress);
    add.addEventListener("click", () => {
      const line = lines()[0].cloneNode(true);
      const input = $("input", line);
      for (const name of ["id", "data-masked", "aria-describedby", "aria-invalid"]) input.removeAttribute(name);
      input.value = "";
      input.placeholder = "";
      input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+$/, lines().length + 1));
      add.before(line);
      dress(line);
      input.focus();
    });
    box.append(add);
  }

  function password(box) {
    const input = $("input", box);
    const eye = document.createElement("button");
    eye.type = "button";
    eye.className = "ico";
    const dress = () => {
      const open = input.type === "text";
      eye.setAttribute("aria-label", open ? "隐藏密码" : "显示密码");
      eye.innerHTML = `<i class="ti ti-${open ? "eye-off" : "eye"}"></i>`;
    };
    eye.addEventListener("click", () => {
      input.type = input.type === "text" ? "password" : "text";
      dress();
      input.focus();
    });
    dress();
    box.append(eye);
    const caps = document.createElement("p");
    caps.className = "caps";
    caps.setAttribute("role", "status");
    box.after(caps);
    for (const kind of ["keydown", "keyup"])
      input.addEventListener(kind, (event) => {
        if (event.getModifierState) caps.textContent = event.getModifierState("CapsLock") ? "大写锁定已打开" : "";
      });
    input.addEventListener("blur", () => (caps.textContent = ""));
    input.form.addEventListener("submit", () => (input.type = "password"));
    if (input.autocomplete !== "new-password") return;
    const meter = document.createElement("div");
    meter.className = "meter";
    meter.setAttribute("aria-hidden", "true");
    const bar = document.createElement("i");
    meter.append(bar);
    box.after(meter);
    input.addEventListener("input", () => {
      const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^\w]/].filter((one) => one.test(input.value)).length;
      const score = Math.min(100, input.value.length * 4 + kinds * 13);
      bar.style.width = (input.value ? score : 0) + "%";
      bar.className = score > 85 ? "s" : score > 55 ? "m" : "";
    });
  }

  /* ---- a time to come: the usual ones by one click, as days of China wherever the computer stands */

  const HOUR = "10:00";

  function quick(input) {
    const now = new Date(Date.now() + 8 * 3600000);
    const ahead = (days) => new Date(now.getTime() + days * 86400000).toISOString().slice(0, 10);
    const row = document.createElement("div");
    row.className = "quick";
    for (const [label, days] of [["明天", 1], ["3天后", 3], ["下周一", 8 - (now.getUTCDay() || 7)]]) {
      const pick = document.createElement("button");
      Object.assign(pick, { type: "button", textContent: label, title: ahead(days) + " " + HOUR });
      pick.addEventListener("click", () => {
        input.value = ahead(days) + (input.type === "date" ? "" : "T" + HOUR);
        changed(input);
      });
      row.append(pick);
    }
    input.after(row);
  }

  /* ---- start */

  window.zk.dressers.push((root) => {
    $$("[data-phones]", root).forEach(phones);
    $$(".pw", root).forEach(password);
    for (const input of $$("[data-type]", root)) {
      // After an error the typed text is shown as it was; a well-formed one gets its date picker back.
      const value = input.value.replace(" ", "T");
      const pattern = input.dataset.type === "date" ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
      if (input.type !== "text" || !(value === "" || pattern.test(value))) continue;
      input.type = input.dataset.type;
      input.value = value;
    }
    $$("[data-quick]", root).forEach(quick);
    for (const input of $$("[data-masked]", root)) {
      input.addEventListener("focus", () => input.value === input.dataset.masked && input.select());
      input.addEventListener("keydown", (event) => {
        if (event.key === "Escape") input.value = input.dataset.masked;
      });
    }
    for (const area of $$("textarea[data-count]", root)) {
      const count = document.createElement("span");
      count.className = "count";
      area.after(count);
      const show = () => (count.textContent = [...area.value].length + " / " + area.maxLength);
      area.addEventListener("input", show);
      show();
    }
    for (const radio of $$("[data-theme-pick] input", root))
      radio.addEventListener("change", () => {
        document.documentElement.dataset.theme = radio.value;
        document.cookie = `zk_theme=${radio.value};path=/;max-age=31536000;samesite=lax`;
      });
  });
})();
