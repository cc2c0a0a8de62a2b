/* Forms: one submit per click, errors beside the field, conditional and linked fields, checks while
   typing, dialogs. Everything here only quickens what the server does anyway.
   inputs.js (before this) and pickers.js (after it) dress single inputs; drafts.js keeps what was typed. */
(function () {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const debounce = (run, wait) => {
    let timer = 0;
    return (...args) => {
      clearTimeout(timer);
      timer = setTimeout(run, wait, ...args);
    };
  };
  const changed = (element) => element.dispatchEvent(new Event("change", { bubbles: true }));
  const labelOf = (fld) => ($(".lab", fld) || $("label", fld) || fld).textContent.replace("*", "").trim();
  const shown = (fld) => !fld.closest("[hidden]");
  const TICKS = "[type=checkbox],[type=radio]";
  /* What only helps to fill in an input has no name. */
  const NAMED = ":is(input,select,textarea)[name]:not([name=''])";

  function unfold(fld) {
    const folded = fld.closest("details");
    if (folded) folded.open = true;
  }

  /* ---- errors in place (D-11) */

  function showError(fld, text) {
    clearError(fld);
    const id = "f-" + fld.dataset.field + "-e";
    const line = document.createElement("p");
    line.className = "err";
    line.id = id;
    line.setAttribute("role", "alert");
    const icon = document.createElement("i");
    icon.className = "ti ti-alert-circle";
    line.append(icon, text);
    fld.classList.add("has-err");
    const input = focusable(fld);
    if (input) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", (id + " " + (input.getAttribute("aria-describedby") || "")).trim());
    }
    const hint = $(".hint", fld);
    if (hint) hint.before(line);
    else fld.append(line);
  }

  function clearError(fld) {
    const line = $(".err", fld);
    if (!line) return;
    for (const input of $$("[aria-invalid]", fld)) {
      input.removeAttribute("aria-invalid");
      const rest = (input.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && id !== line.id);
      if (rest.length) input.setAttribute("aria-describedby", rest.join(" "));
      else input.removeAttribute("aria-describedby");
    }
    line.remove();
    fld.classList.remove("has-err");
  }

  /* Where one types; not what only helps to. In rows the input that an error is about. */
  const focusable = (fld) =>
    $(".one [aria-invalid]", fld) ||
    $$("input:not([type=hidden]),select,textarea", fld).find((input) => !input.closest(".cond"));

  function missing(form) {
    const wrong = [];
    for (const fld of $$(".fld", form)) {
      if (!shown(fld)) continue;
      const kind = fld.dataset.kind;
      if ("required" in fld.dataset && isEmpty(read(fld))) {
        showError(fld, fld.dataset.required || "请填写" + labelOf(fld));
        wrong.push(fld);
      } else if ($$("[data-masked]", fld).some((i) => i.value !== i.dataset.masked && i.value.includes("*"))) {
        showError(fld, "加密的内容不能只改一部分，请输入完整的新内容，或恢复原值");
        wrong.push(fld);
      }
    }
    return wrong;
  }

  /* ---- the state of a field, for required checks and drafts.js */

  function read(fld) {
    const kind = fld.dataset.kind;
    if (kind === "ref") return [$("[type=hidden]", fld).value, $(".in", fld).value];
    if (kind === "refs")
      return $$(".chip", fld).map((chip) => [$("input", chip).value, $("span", chip).textContent]);
    if (kind === "bool" || kind === "choices") return $$("input:checked", fld).map((input) => input.value);
    return $$(NAMED, fld).map((input) => input.value);
  }

  const isEmpty = (state) => state.flat().every((value) => !value.trim());

  /* ---- fields shown, open or needed on a condition: "name=a|b", "name!=a", "name" */

  function valuesOf(form, name) {
    return Array.from(form.elements)
      .filter((e) => e.name === name && !(["checkbox", "radio"].includes(e.type) && !e.checked))
      .map((e) => e.value)
      .filter(Boolean);
  }

  function meets(form, rule) {
    const [, name, sign, wanted] = /^([^=!]+)(!?=)?(.*)$/.exec(rule);
    const source = $(`[data-field="${CSS.escape(name.trim())}"]`, form);
    const values = source && source.hidden ? [] : valuesOf(form, name.trim());
    if (!sign) return values.length > 0;
    const hit = (values.length ? values : [""]).some((value) => wanted.split("|").includes(value));
    return sign === "!=" ? !hit : hit;
  }

  const enable = (fld, on) => {
    for (const input of $$("input,select,textarea,button", fld)) input.disabled = !on;
  };

  /* A field that closes stays in its place and holds nothing. */
  function close(fld) {
    const many = fld.dataset.kind === "refs";
    if ($(".pick", fld)) fld.dispatchEvent(new CustomEvent("zk:fill", { detail: many ? [] : [["", ""]] }));
    for (const input of $$("input:not([type=hidden]),select,textarea", fld)) {
      if (input.matches(TICKS)) input.checked = false;
      else input.value = "";
    }
    clearError(fld);
  }

  function conditional(form) {
    const shown = $$("[data-shown-when]", form);
    const opened = $$("[data-opens-when]", form);
    const needed = $$("[data-needed-when]", form);
    if (!shown.length && !opened.length && !needed.length) return;
    const apply = () => {
      for (const fld of shown) {
        fld.hidden = !meets(form, fld.dataset.shownWhen);
        enable(fld, !fld.hidden);
      }
      for (const fld of opened) {
        const open = meets(form, fld.dataset.opensWhen);
        const was = !fld.hasAttribute("data-closed");
        fld.toggleAttribute("data-closed", !open);
        if (!open && was) close(fld);
        enable(fld, open && !fld.hidden);
      }
      for (const fld of needed) {
        const must = !fld.hasAttribute("data-closed") && meets(form, fld.dataset.neededWhen);
        const input = focusable(fld);
        $(".star", fld).hidden = !must;
        if (must) fld.dataset.required = fld.dataset.neededAsk;
        else delete fld.dataset.required;
        if (!input) continue;
        if (must) input.setAttribute("aria-required", "true");
        else input.removeAttribute("aria-required");
      }
    };
    form.addEventListener("change", apply);
    apply();
  }

  /* ---- linked pick lists: changing the parent empties the child (D-13) */

  function linked(form) {
    for (const child of $$("select[data-parent],.ticks[data-parent]", form)) {
      const offers = (element, values) => {
        const of = element.dataset.of;
        return !of || of.split(",").some((one) => values.includes(one));
      };
      const isSelect = child.tagName === "SELECT";
      const all = isSelect ? Array.from(child.options) : $$(".pill", child);
      if (!all.some((one) => one.dataset.of)) continue;
      const prompt = isSelect && all[0].value === "" ? all[0].textContent : "";
      const parentFld = $(`[data-field="${CSS.escape(child.dataset.parent)}"]`, form);
      const apply = (empty) => {
        const values = valuesOf(form, child.dataset.parent);
        if (isSelect) {
          const keep = empty ? "" : child.value;
          child.replaceChildren(...all.filter((option) => offers(option, values)));
          child.value = keep;
          if (child.selectedIndex < 0) child.selectedIndex = 0;
          if (prompt) all[0].textContent = values.length || !parentFld ? prompt : "请先选择" + labelOf(parentFld);
        } else {
          for (const pill of all) {
            pill.hidden = !offers(pill, values);
            if (empty || pill.hidden) $("input", pill).checked = false;
          }
        }
      };
      form.addEventListener("change", (event) => {
        if (event.target.name !== child.dataset.parent) return;
        apply(true);
        changed(isSelect ? child : $("[type=checkbox]", child));
      });
      apply(false);
    }
  }

  /* ---- dialogs */

  let answered = "";

  function ask(dialog, value) {
    const before = document.activeElement;
    dialog.removeAttribute("open"); // unlike close(), without a "close" event
    dialog.showModal();
    dialog.addEventListener("close", () => {
      if (value) answered = value;
      dialog.remove();
      if (before && before.isConnected) before.focus();
    });
  }

  /* ---- checks while typing */

  function checks(form) {
    let latest = 0;
    const run = debounce(async (input) => {
      const fld = input.closest(".fld");
      const note = $("[data-check-note]", fld);
      const value = input.value.trim();
      const turn = ++latest;
      const enough = value.length >= (input.type === "tel" ? 7 : 2);
      if (!enough || value === input.dataset.masked) {
        note.hidden = true;
        return;
      }
      const url = new URL(input.dataset.checkUrl, location.href);
      url.searchParams.set("value", value);
      let answer;
      try {
        const response = await fetch(url, { headers: { Accept: "application/json" } });
        if (!response.ok || response.redirected) return;
        answer = await response.json();
      } catch (_offline) {
        return; // the same check runs when the form is sent
      }
      if (turn !== latest || input.value.trim() !== value) return;
      note.textContent = answer.message || "";
      note.classList.toggle("no", !answer.ok);
      note.hidden = !answer.message;
      if (!answer.html || answered === value || $("dialog[open]")) return;
      form.insertAdjacentHTML("afterend", answer.html);
      ask(form.nextElementSibling, value);
    }, 350);
    form.addEventListener("input", (event) => {
      if (event.target.dataset.checkUrl) run(event.target);
    });
  }

  /* ---- one submit per click */

  function submitting(form) {
    const labels = new Map();
    form.addEventListener("submit", (event) => {
      if (form.getAttribute("aria-busy")) return event.preventDefault();
      const by = event.submitter;
      const wrong = by && by.formNoValidate ? [] : missing(form);
      if (wrong.length) {
        event.preventDefault();
        wrong.forEach(unfold);
        const input = focusable(wrong[0]);
        if (input) input.focus();
        wrong[0].scrollIntoView({ block: "center" });
        return undefined;
      }
      form.dispatchEvent(new Event("zk:sent"));
      form.setAttribute("aria-busy", "true");
      // Only after the browser has collected the values: a disabled button does not send its own.
      setTimeout(() => {
        for (const button of Array.from(form.elements).filter((e) => e.type === "submit")) button.disabled = true;
        if (by && by.firstChild) {
          labels.set(by, by.textContent);
          by.textContent = "正在提交…";
        }
      });
      return undefined;
    });
    const release = () => {
      form.removeAttribute("aria-busy");
      for (const button of Array.from(form.elements).filter((e) => e.type === "submit")) button.disabled = false;
      for (const [button, label] of labels) button.textContent = label;
    };
    form.addEventListener("zk:release", release);
    addEventListener("pageshow", (event) => event.persisted && release());
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      form.requestSubmit($("[data-main]", form));
    });
    const forgive = (event) => {
      const fld = event.target.closest(".fld");
      if (fld) clearError(fld);
    };
    form.addEventListener("input", forgive);
    form.addEventListener("change", forgive);
  }

  /* ---- start */

  window.zk.NAMED = NAMED;
  window.zk.read = read;
  window.zk.focusable = focusable;
  window.zk.unfold = unfold;
  window.zk.dressers.push((root) => {
    for (const form of $$("[data-form]", root)) {
      linked(form);
      conditional(form);
      checks(form);
      submitting(form);
    }
    const question = $("[data-ask]", root);
    if (question) ask(question, "");
    // What the server answered comes first, before any input: both sides of a conflict, then errors.
    const wrong = $(".has-err", root);
    const answer = $(".conflict", root) || $("[data-errors]", root) || (wrong && focusable(wrong));
    if (!answer || question) return;
    answer.focus();
    answer.scrollIntoView({ block: "nearest" });
  });
  for (const back of $$("[data-back]")) {
    back.hidden = history.length < 2;
    back.addEventListener("click", () => history.back());
  }
})();
