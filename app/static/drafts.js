/* What was typed is kept: drafts of this tab, dropped once sent and accepted. A fresh form then starts with
   the cursor where the first answer is missing. Comes after the scripts that dress the inputs it fills. */
(function () {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const changed = (element) => element.dispatchEvent(new Event("change", { bubbles: true }));
  const { read, focusable, unfold, NAMED } = window.zk;
  const TICKS = "[type=checkbox],[type=radio]";
  const NARROW = matchMedia("(max-width:720px)");

  /* The state as the server sent it: the browser may already have put typed values back. */
  function sent(fld) {
    const kind = fld.dataset.kind;
    if (kind === "ref" || kind === "refs") return read(fld);
    if (kind === "bool" || kind === "choices")
      return $$(TICKS, fld).filter((input) => input.defaultChecked).map((input) => input.value);
    return $$(NAMED, fld).map((input) => {
      if (input.tagName !== "SELECT") return input.defaultValue;
      const chosen = Array.from(input.options).find((option) => option.defaultSelected) || input.options[0];
      return chosen ? chosen.value : "";
    });
  }

  function write(fld, state) {
    const kind = fld.dataset.kind;
    unfold(fld);
    if (kind === "ref" || kind === "refs") {
      fld.dispatchEvent(new CustomEvent("zk:fill", { detail: kind === "ref" ? [state] : state }));
      return;
    }
    if (kind === "bool" || kind === "choices") {
      for (const input of $$(TICKS, fld)) input.checked = state.includes(input.value);
      changed($(TICKS, fld));
      return;
    }
    const add = $("[data-add]", fld);
    while (add && $$(NAMED, fld).length < state.length) add.click();
    $$(NAMED, fld).forEach((input, at) => {
      input.value = state[at] ?? "";
      changed(input);
    });
  }

  const LEAVING = {
    textContent: "放弃填写",
    dataset: { confirm: "已填写的内容不会保存，确定离开吗？", tone: "r", stay: "继续填写" },
  };
  const PREFIX = "zk.draft.";
  const RETRY = "zk.retry";
  const store = {
    get: (key) => JSON.parse(sessionStorage.getItem(PREFIX + key) || "null"),
    set: (key, draft) => sessionStorage.setItem(PREFIX + key, JSON.stringify(draft)),
    drop: (key) => sessionStorage.removeItem(PREFIX + key),
  };

  /* The answer to a submit was not the wanted page but a login or an error: the draft is still needed. */
  function keepDrafts() {
    for (const name of Object.keys(sessionStorage).filter((one) => one.startsWith(PREFIX))) {
      const key = name.slice(PREFIX.length);
      store.set(key, { ...store.get(key), sent: false });
    }
    sessionStorage.setItem(RETRY, "1");
  }

  /* Going back to a form after such an answer would find its old token: load it anew, the draft fills it. */
  function freshen() {
    if (!$("[data-draft]") || !sessionStorage.getItem(RETRY)) return;
    sessionStorage.removeItem(RETRY);
    const [entry] = performance.getEntriesByType("navigation");
    if (entry && entry.type === "back_forward") location.reload();
  }

  function drafts(form) {
    const key = form.dataset.draft;
    const version = form.elements.version ? form.elements.version.value : "";
    const fields = () =>
      $$(".fld", form).filter((fld) => !["password", "readonly"].includes(fld.dataset.kind) && focusable(fld));
    const answer = $(".has-err,[data-errors],.conflict", form) || $("[data-ask]");
    const start = new Map(fields().map((fld) => [fld.dataset.field, answer ? "" : JSON.stringify(sent(fld))]));
    const save = () => {
      const values = {};
      for (const fld of fields()) {
        const state = read(fld);
        if (JSON.stringify(state) !== start.get(fld.dataset.field)) values[fld.dataset.field] = state;
      }
      if (Object.keys(values).length) store.set(key, { values, version, sent: false });
      else store.drop(key);
    };
    const draft = store.get(key);
    if (answer) save();
    else if (draft && draft.sent) store.drop(key);
    else if (draft && draft.values) {
      for (const fld of fields()) {
        const state = draft.values[fld.dataset.field];
        if (state) write(fld, state);
      }
      const note = $("[data-draft-note]", form);
      if (draft.version !== version) $("span", note).textContent += "该记录此后已被修改，保存前请核对。";
      note.hidden = false;
      $("[data-draft-drop]", note).addEventListener("click", () => {
        form.dataset.leaving = "";
        store.drop(key);
        location.assign(location.href);
      });
    }
    let timer = 0;
    const keep = () => "leaving" in form.dataset || save();
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => form.isConnected && keep(), 300); // a form that went has been kept already
    };
    form.addEventListener("zk:keep", keep);
    form.addEventListener("input", later);
    form.addEventListener("change", later);
    addEventListener("pagehide", () => form.isConnected && keep());
    form.addEventListener("zk:sent", () => {
      save();
      form.dataset.leaving = "";
      const kept = store.get(key);
      if (kept) store.set(key, { ...kept, sent: true });
    });
    form.addEventListener("zk:release", () => {
      delete form.dataset.leaving;
      save();
    });
    document.addEventListener("click", (event) => {
      const link = event.target.closest("[data-leave]");
      if (!link || !form.isConnected) return;
      const cancels = link.closest(".btns.sticky"); // other ways on were chosen as an answer
      if (cancels) save();
      if (!cancels || !store.get(key) || "sure" in link.dataset) {
        form.dataset.leaving = "";
        store.drop(key);
        return;
      }
      // Something was typed: it is not given up by a slip.
      event.preventDefault();
      event.stopPropagation();
      window.zk.ask(LEAVING, () => {
        link.dataset.sure = "";
        link.click();
        delete link.dataset.sure;
      });
    }, true);
  }

  function begin(form) {
    if (NARROW.matches || $("[data-ask]") || $(".has-err,[data-errors],.conflict", form)) return;
    const empty = $$(".fld", form).find((fld) => focusable(fld) && !fld.hidden && !read(fld).flat().some((v) => v.trim()));
    if (empty) focusable(empty).focus({ preventScroll: true });
  }

  if ($("[data-keep-drafts]")) keepDrafts();
  else freshen();
  addEventListener("pageshow", (event) => {
    if (event.persisted && $("[data-draft]") && sessionStorage.getItem(RETRY)) location.reload();
  });
  window.zk.dressers.push((root) => {
    for (const form of $$("[data-draft]", root)) drafts(form);
    for (const form of $$("[data-fresh]", root)) begin(form);
  });
})();
