/* The side sheet: a record in short beside its list, or the form of an action beside either of them.
   The form is the one of the action's own page, fetched from there; whatever the sheet cannot deal with
   (an ended session, above all) is left to that page. */
(function () {
  "use strict";
  const { $, $$, remember, tabArea, narrow } = window.zk;
  const REOPEN = "zk.reopen";
  const here = location.pathname + location.search;
  let sheet = null;
  let body = null;
  let asked = 0;
  let record = ""; // the address of the record that is or was shown
  let onClose = null;
  let opener = null;

  function button(icon, label, hint) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", className: "ico", title: hint || label });
    made.setAttribute("aria-label", label);
    made.innerHTML = '<i class="ti ti-' + icon + '"></i>';
    return made;
  }

  /* What was typed into a form that goes is kept as a draft. */
  const keep = () => $$("[data-form]", sheet).forEach((form) => form.dispatchEvent(new Event("zk:keep")));

  function close() {
    if (!sheet) return false;
    keep();
    asked += 1;
    sheet.remove();
    sheet = null;
    record = "";
    const then = onClose;
    onClose = null;
    if (then) then();
    else if (opener && opener.isConnected) opener.focus({ preventScroll: true });
    return true;
  }

  /* An empty sheet with its bar; `parts` stand at the left of it, `whole` is the same thing as a page. */
  function open(label, parts, whole) {
    if (!sheet) {
      opener = document.activeElement;
      sheet = document.createElement("aside");
      sheet.className = "sheet";
      sheet.tabIndex = -1;
      sheet.setAttribute("role", "dialog");
      sheet.setAttribute("aria-modal", "false");
      sheet.innerHTML = '<div class="sheet-bar"></div><div class="sheet-body"></div>';
      document.body.append(sheet);
      sheet.addEventListener("submit", submitted);
      sheet.addEventListener("click", clicked);
    }
    keep();
    sheet.setAttribute("aria-label", label);
    const right = document.createElement("span");
    const page = document.createElement("a");
    const shut = button("x", "关闭", "关闭（Esc）");
    right.className = "r";
    page.className = "btn2";
    page.href = whole;
    page.innerHTML = '<i class="ti ti-external-link"></i>打开整页';
    shut.addEventListener("click", close);
    right.append(page, shut);
    $(".sheet-bar", sheet).replaceChildren(...parts, right);
    body = $(".sheet-body", sheet);
    body.innerHTML = '<div class="loading" aria-label="正在读取">' + "<i></i>".repeat(8) + "</div>";
    body.scrollTop = 0;
    if (!sheet.contains(document.activeElement)) sheet.focus({ preventScroll: true });
    return ++asked;
  }

  const gone = (turn) => turn !== asked || !sheet;

  function problem(text) {
    body.innerHTML = '<div class="empty"><i class="ti ti-alert-circle"></i><b></b></div>';
    $("b", body).textContent = text;
  }

  /* ---- a record */
  async function show(address, parts, then) {
    const turn = open("记录详情", parts, address);
    record = address;
    onClose = then;
    try {
      const answer = await fetch(address.replace(/\/$/, "") + "/panel", { headers: { "X-Requested-With": "fetch" } });
      if (answer.status === 401) return location.reload();
      if (answer.redirected) return location.assign(answer.url); // it has a page only
      if (!answer.ok) throw new Error(answer.status === 404 ? "没有找到这条记录，它可能已被移走。" : "暂时无法读取，请稍后再试。");
      const html = await answer.text();
      if (gone(turn)) return undefined;
      body.innerHTML = html;
      const about = $("article", body);
      if (about) sheet.setAttribute("aria-label", about.dataset.title);
    } catch (failed) {
      if (!gone(turn)) problem(failed instanceof TypeError ? "暂时无法读取，请检查网络后再试。" : failed.message);
    }
    return undefined;
  }

  /* ---- the form of an action */
  let back = null;

  /* `alone` says that the form is not about the record in the sheet. */
  async function form(address, alone) {
    if (narrow()) return (location.href = address);
    if (alone) close();
    const from = record;
    const then = onClose;
    const parts = [];
    back = null;
    if (sheet && from && !$("[data-form]", sheet)) {
      const bar = Array.from($(".sheet-bar", sheet).children).slice(0, -1);
      back = () => show(from, bar, then);
      const up = button("arrow-left", "返回记录");
      up.addEventListener("click", back);
      parts.push(up);
    }
    const turn = open("操作", parts, address);
    onClose = then;
    let answer;
    try {
      answer = await fetch(address, { headers: { "X-Zk-Sheet": "1" } });
      if (answer.status === 204) return leave(answer);
      const text = answer.redirected ? "" : await answer.text();
      if (!gone(turn) && !fill(text)) location.href = address;
    } catch (_offline) {
      if (!gone(turn)) problem("暂时无法读取，请检查网络后再试。");
    }
    return undefined;
  }

  /* What of a whole page belongs into the sheet; false where it is none of ours. */
  function fill(text) {
    const page = $(".page,.oops", new DOMParser().parseFromString(text, "text/html"));
    if (!page) return false;
    body.replaceChildren(document.adoptNode(page));
    body.scrollTop = 0;
    const title = $("h1", page);
    if (title) sheet.setAttribute("aria-label", title.textContent.trim());
    window.zk.dress(page);
    if (!sheet.contains(document.activeElement) && !$("dialog[open]")) sheet.focus({ preventScroll: true });
    return true;
  }

  /* Done: the page behind is read anew with its remark, and shows the record again if it did before. */
  function leave(answer) {
    const to = new URL(answer.headers.get("Location"), location.href);
    if (record && back) remember(tabArea, REOPEN, { page: here, record });
    if (to.pathname + to.search === here) location.reload();
    else location.assign(to);
  }

  function natively(sent, by) {
    if (by && by.name) {
      const value = document.createElement("input");
      Object.assign(value, { type: "hidden", name: by.name, value: by.value });
      sent.append(value);
    }
    HTMLFormElement.prototype.submit.call(sent);
  }

  function refused(sent, text) {
    const note = document.createElement("div");
    note.className = "note bad";
    note.setAttribute("role", "alert");
    note.innerHTML = '<i class="ti ti-alert-circle"></i><p></p>';
    $("p", note).textContent = text;
    $$("[data-said]", sent).forEach((old) => old.remove());
    note.dataset.said = "";
    sent.prepend(note);
    note.scrollIntoView({ block: "nearest" });
    sent.dispatchEvent(new Event("zk:release"));
  }

  async function submitted(event) {
    const sent = event.target;
    const by = event.submitter;
    if (event.defaultPrevented || sent.getAttribute("method") === "dialog") return;
    if (!("form" in sent.dataset)) {
      if (record) remember(tabArea, REOPEN, { page: here, record });
      return;
    }
    event.preventDefault();
    const data = new URLSearchParams(new FormData(sent));
    if (by && by.name) data.append(by.name, by.value);
    let answer;
    let text;
    try {
      answer = await fetch(sent.action, { method: "POST", body: data, headers: { "X-Zk-Sheet": "1" } });
      if (answer.status === 204) {
        leave(answer);
        return;
      }
      text = answer.redirected || answer.status === 401 ? "" : await answer.text();
    } catch (_offline) {
      refused(sent, "网络中断，还不知道是否已保存。填写的内容都在，可再次提交，不会重复记录。");
      return;
    }
    const page = $(".page,.oops", new DOMParser().parseFromString(text, "text/html"));
    if (!page) natively(sent, by);
    else if (page.matches(".oops")) refused(sent, $$("h1,.text", page).map((part) => part.textContent.trim()).join("："));
    else if (sheet) fill(text);
  }

  function clicked(event) {
    const step = event.target.closest(".btns.sticky a[data-leave]");
    if (step) {
      event.preventDefault();
      if (back) back();
      else close();
    }
    const kind = event.target.closest(".seg a[data-kind]");
    if (!kind) return;
    event.preventDefault();
    $$(".seg a", sheet).forEach((other) => other.classList.toggle("on", other === kind));
    $$(".ev", sheet).forEach((ev) => (ev.hidden = Boolean(kind.dataset.kind) && ev.dataset.kind !== kind.dataset.kind));
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-act]");
    if (!link || narrow() || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    $$("details.dd[open]").forEach((open) => (open.open = false));
    form(link.href);
  });

  /* Which record was shown before the deed that loaded this page; asked once. */
  function again() {
    const kept = remember(tabArea, REOPEN);
    if (kept) remember(tabArea, REOPEN, 0);
    return kept && kept.page === here ? kept.record : "";
  }

  window.zk.sheet = {
    show, form, close, again, button,
    /* A sheet that asks something keeps the keys of the list away. */
    asking: () => Boolean(sheet && $("[data-form]", sheet)),
    open: () => Boolean(sheet),
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !$("[data-list]") && !window.zk.typing(event.target) && !$("dialog[open]")) close();
  });
})();
