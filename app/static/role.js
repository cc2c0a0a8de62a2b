/* The role editor: three-state boxes of groups and pages, search, and the difference while ticking.
   What counts is the server's own preview after the submit; this is the quick answer before it. */
(function () {
  "use strict";

  const form = document.querySelector("[data-role]");
  if (!form) return;
  const $$ = (selector, root = form) => Array.from(root.querySelectorAll(selector));
  const boxes = $$("[name=permission]");
  const scopes = $$("[data-scope]");
  const list = form.querySelector("[data-changes]");
  const effects = form.querySelector("[data-effects]");
  const text = (box) => box.closest("label").textContent.trim();
  const pageOf = (element) => element.closest("[data-page]").dataset.page;
  const chosen = (scope) => $$("input:checked", scope).map(text).join("、") || "—";
  // What is stored, also when the page shows ticks that were sent for a preview.
  const stored = new Map(boxes.map((box) => [box, ("changed" in box.dataset ? !box.defaultChecked : box.defaultChecked)]));
  const before = new Map(scopes.map((scope) => [scope, scope.dataset.scope || startOf(scope)]));

  function startOf(scope) {
    return $$("input", scope).filter((box) => box.defaultChecked).map(text).join("、") || "—";
  }

  function heads() {
    for (const head of $$("[data-all]")) {
      const part = head.closest("[data-page]") || head.closest("[data-group]");
      // A restricting tick takes something away, so "everything" does not include it.
      const under = $$("[name=permission]:not([data-restricting])", part);
      const on = under.filter((box) => box.checked).length;
      head.checked = on > 0 && on === under.length;
      head.indeterminate = on > 0 && on < under.length;
    }
  }

  function difference() {
    const lines = [];
    for (const box of boxes) {
      const moved = box.checked !== stored.get(box);
      box.closest(".row1").classList.toggle("mark", moved);
      if (!moved) continue;
      const extra = "restricting" in box.dataset ? "（限制性）" : "";
      lines.push([box.checked ? "plus" : "minus", `${box.checked ? "＋" : "－"} ${pageOf(box)} · ${text(box)}${extra}`]);
    }
    for (const scope of scopes) {
      const now = chosen(scope);
      scope.querySelector("[data-now]").textContent = now;
      if (now !== before.get(scope)) lines.push(["", `${pageOf(scope)} · 数据范围　${before.get(scope)} → ${now}`]);
    }
    list.replaceChildren(
      ...(lines.length ? lines : [["mute", "尚无改动"]]).map(([kind, words]) =>
        Object.assign(document.createElement("li"), { className: kind, textContent: words }),
      ),
    );
  }

  form.addEventListener("change", (event) => {
    const head = event.target.closest("[data-all]");
    if (head) {
      const part = head.closest("[data-page]") || head.closest("[data-group]");
      for (const box of $$("[name=permission]:not([data-restricting])", part)) box.checked = head.checked;
    }
    heads();
    if (!event.target.closest(".tree")) return;
    // After a preview the server's lines compare with what is stored; further ticks need a new preview.
    if ("fixed" in list.dataset) {
      delete list.dataset.fixed;
      effects.hidden = true;
    }
    difference();
  });

  /* Groups and pages fold; a search looks into folded ones too (the stylesheet unfolds them). */
  const folds = [];
  for (const part of $$("[data-group],[data-page]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "fold1";
    button.innerHTML = '<i class="ti ti-chevron-down"></i>';
    button.setAttribute("aria-label", "收起或展开" + part.querySelector("label").textContent.trim());
    button.setAttribute("aria-expanded", "true");
    const fold = (shut) => {
      part.toggleAttribute("data-folded", shut);
      button.setAttribute("aria-expanded", String(!shut));
    };
    button.addEventListener("click", () => fold(!part.hasAttribute("data-folded")));
    part.querySelector(".row1").prepend(button);
    if (part.dataset.page) folds.push(fold);
  }
  const foldAll = form.querySelector("[data-fold-all]");
  foldAll.addEventListener("click", () => {
    const shut = foldAll.getAttribute("aria-pressed") !== "true";
    foldAll.setAttribute("aria-pressed", String(shut));
    foldAll.textContent = shut ? "全部展开" : "全部收起";
    for (const fold of folds) fold(shut);
  });

  function find(input, run) {
    input.addEventListener("input", () => run(input.value.trim().toLowerCase()));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
      if (event.key !== "Escape" || !input.value) return;
      input.value = "";
      run("");
    });
  }

  const hit = (element, words) => element.textContent.toLowerCase().includes(words);

  find(form.querySelector("[data-find=roles]"), (words) => {
    for (const link of $$(".roles a")) link.hidden = !hit(link, words);
  });
  find(form.querySelector("[data-find=rights]"), (words) => {
    let any = false;
    form.toggleAttribute("data-seeking", Boolean(words));
    for (const group of $$("[data-group]")) {
      const wholeGroup = hit(group.querySelector(".g"), words);
      let some = false;
      for (const page of $$("[data-page]", group)) {
        const whole = wholeGroup || page.dataset.page.toLowerCase().includes(words);
        let inside = false;
        for (const row of $$(".l2", page)) {
          row.hidden = !(whole || hit(row, words));
          inside = inside || !row.hidden;
        }
        page.hidden = !(whole || inside);
        some = some || !page.hidden;
      }
      group.hidden = !some;
      any = any || some;
    }
    form.querySelector("[data-nothing]").hidden = any;
  });

  document.addEventListener("click", (event) => {
    for (const scope of scopes) if (scope.open && !scope.contains(event.target)) scope.open = false;
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const scope of scopes.filter((one) => one.open)) {
      scope.open = false;
      scope.querySelector("summary").focus();
    }
  });

  const sought = form.querySelector("[data-find=rights]");
  if (sought.value) sought.dispatchEvent(new Event("input"));

  heads();
  if (!("fixed" in list.dataset)) difference();
})();
