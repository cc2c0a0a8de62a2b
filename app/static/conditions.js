/* Conditions by picking: field, comparison and values become the line that could as well be typed. */
(function () {
  "use strict";

  const { $, $$ } = window.zk;
  const CHOSEN = ["choice", "choices", "bool"];

  function element(tag, given, ...inside) {
    const made = Object.assign(document.createElement(tag), given);
    made.append(...inside);
    return made;
  }

  function options(select, labels, prompt) {
    select.replaceChildren(...(prompt ? [new Option(prompt, "")] : []), ...labels.map((l, n) => new Option(l, n)));
  }

  function build(area) {
    const form = area.form;
    const about = form.elements.deed || form.elements.subject;
    const fld = area.closest(".fld");
    let terms = [];
    const field = element("select", { className: "in", ariaLabel: "字段" });
    const way = element("select", { className: "in", ariaLabel: "比较" });
    const values = element("span", { className: "cond-v" });
    const add = element("button", { type: "button", className: "btn2", textContent: "加入条件" });
    const note = element("p", { className: "err", hidden: true });
    note.setAttribute("role", "alert");
    const row = element("div", { className: "cond", hidden: true }, field, way, values, add);
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", "添加条件");
    area.before(row, note);

    const term = () => terms[Number(field.value)];
    const label = () => term().ways[Number(way.value)];
    const many = () => term().many.includes(label());

    function offer() {
      values.replaceChildren();
      if (!field.value) return;
      const places = label().split("{}").length - 1;
      const choices = term().kind === "bool" ? ["是", "否"] : term().values;
      if (places && CHOSEN.includes(term().kind)) {
        for (const one of choices) {
          const tick = element("input", { type: many() ? "checkbox" : "radio", name: "", value: one });
          tick.addEventListener("change", () => {
            if (tick.type === "radio") $$("input", values).forEach((other) => (other.checked = other === tick));
          });
          values.append(element("label", { className: "pill" }, tick, element("span", { textContent: one })));
        }
        return;
      }
      const days = label().includes("天");
      const dated = ["date", "datetime"].includes(term().kind) && !days;
      for (let n = 0; n < places; n += 1) {
        if (n) values.append(" 至 ");
        const input = element("input", { className: "in", type: dated ? "date" : "text", ariaLabel: "值" });
        if (days) input.inputMode = "numeric";
        input.placeholder = days ? "天数" : many() ? "多个值用顿号隔开" : "";
        values.append(input);
      }
    }

    function line() {
      const given = $$("input", values);
      const ticked = given.filter((i) => i.checked).map((i) => i.value);
      const said = given.some((i) => i.matches("[type=checkbox],[type=radio]"))
        ? [ticked.join("、")]
        : given.map((i) => i.value.trim());
      if (said.some((text) => !text) && label().includes("{}")) return "";
      return `${term().label} ${said.reduce((text, one) => text.replace("{}", one), label())}`;
    }

    async function load() {
      row.hidden = true;
      if (!about.value) return;
      const answer = await fetch(`/automation/terms?subject=${encodeURIComponent(about.value)}`);
      terms = answer.ok ? await answer.json() : [];
      options(field, terms.map((t) => t.label), "选择字段");
      options(way, [], "比较");
      offer();
      row.hidden = !terms.length;
    }

    about.addEventListener("change", load);
    field.addEventListener("change", () => {
      options(way, field.value ? term().ways.map((w) => w.replaceAll("{}", "…")) : [], field.value ? "" : "比较");
      offer();
    });
    way.addEventListener("change", offer);
    add.addEventListener("click", () => {
      const text = field.value ? line() : "";
      note.textContent = text ? "" : "请选择字段、比较方式并填写值";
      note.hidden = Boolean(text);
      if (!text) return;
      area.value = [area.value.trim(), text].filter(Boolean).join("\n");
      area.dispatchEvent(new Event("input", { bubbles: true }));
      area.dispatchEvent(new Event("change", { bubbles: true }));
      field.value = "";
      field.dispatchEvent(new Event("change"));
      field.focus();
    });
    row.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target === add) return;
      event.preventDefault();
      add.click();
    });
    /* What only helps is no part of the form. */
    for (const event of ["input", "change"]) row.addEventListener(event, (e) => e.stopPropagation());
    fld.classList.add("conds");
    load();
  }

  /* Fields by ticking: which of a form's fields an edit has to change. Other deeds change none, and have no such
     input; typed without a script, their names stand in it. */
  function pick(input) {
    const deed = input.form.elements.deed;
    const fld = input.closest(".fld");
    const ticks = element("div", { className: "ticks" });
    ticks.setAttribute("role", "group");
    ticks.setAttribute("aria-labelledby", $(".lab", fld).id);
    input.before(ticks);
    const said = () => input.value.split(/[、，,；;]/).map((text) => text.trim());

    function offer(labels) {
      const chosen = said();
      ticks.replaceChildren(
        ...labels.map((text) => {
          const tick = element("input", { type: "checkbox", name: "", value: text, checked: chosen.includes(text) });
          return element("label", { className: "pill" }, tick, element("span", { textContent: text }));
        })
      );
      ticks.classList.toggle("many", labels.length > 16);
      ticks.hidden = !labels.length;
      fld.hidden = !labels.length && !$(".err", fld);
      input.hidden = Boolean(labels.length) && chosen.every((text) => !text || labels.includes(text));
    }

    async function load() {
      const answer = deed.value && (await fetch(`/automation/fields?subject=${encodeURIComponent(deed.value)}`));
      offer(answer && answer.ok ? await answer.json() : []);
    }

    deed.addEventListener("change", () => {
      input.value = "";
      load();
    });
    ticks.addEventListener("change", (event) => {
      event.stopPropagation();
      input.value = $$("input", ticks).filter((tick) => tick.checked).map((tick) => tick.value).join("、");
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
    fld.hidden = !input.value;
    load();
  }

  window.zk.dressers.push((root) => {
    for (const input of $$("input[name=watched]", root)) {
      if (input.form && input.form.elements.deed && !$(".ticks", input.closest(".fld"))) pick(input);
    }
    for (const area of $$("textarea[name=condition]", root)) {
      if (area.form && area.form.elements.subject && !$(".cond", area.closest(".fld"))) build(area);
    }
  });
})();
