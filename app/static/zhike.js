/* The frame: opened pages as tabs (D-07), menus, theme, confirmations, one submit per click.
   Everything here quickens a page that also works without it. */
(function () {
  "use strict";
  const root = document.documentElement;
  const body = document.body;
  const here = location.pathname + location.search;
  const $ = (selector, from) => (from || document).querySelector(selector);
  const $$ = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  const NARROW = matchMedia("(max-width:720px)");

  // Storage may be refused by policy; the page then simply remembers nothing.
  function remember(area, key, value) {
    try {
      if (value === undefined) return JSON.parse(area().getItem(key));
      area().setItem(key, JSON.stringify(value));
    } catch (refused) {
      return null;
    }
    return value;
  }
  const tabArea = () => sessionStorage;
  const ownArea = () => localStorage;

  /* ---- opened pages */
  const MOST_TABS = 12;
  // A tab is a place: the list, a record, a chart. Forms pass by and leave no tab behind.
  const home = location.pathname === "/";
  const passing = !body.dataset.key || /\/(new|edit|delete|history)$|\/action\/|^\/profile\//.test(location.pathname);
  const key = home ? "home" : location.pathname;

  function tabs() {
    const kept = remember(tabArea, "zk.tabs");
    // Another person or another store in the same window starts with an empty bar (D-03).
    return kept && kept.who === body.dataset.who ? kept.list : [];
  }
  function keep(list) {
    remember(tabArea, "zk.tabs", { who: body.dataset.who, list });
  }
  function openTab() {
    let list = tabs();
    if (home) return list;
    const title = $("#tabs .on a") ? $("#tabs .on a").textContent.trim() : document.title;
    const code = $("[data-code]") ? $("[data-code]").dataset.code : "";
    const known = list.find((tab) => tab.key === key);
    if (passing) {
      // Where a kept page answers with an error, its tab has lost its meaning.
      list = list.filter((tab) => tab !== known);
      keep(list);
      return [...list, { key, title, code, url: here }];
    }
    if (known) Object.assign(known, { url: here, title, code });
    else list.push({ key, title, code, url: here });
    if (list.length > MOST_TABS) list = list.slice(-MOST_TABS);
    keep(list);
    return list;
  }
  function closeTab(which) {
    const list = tabs();
    const at = list.findIndex((tab) => tab.key === which);
    if (at >= 0) list.splice(at, 1);
    keep(list);
    remember(tabArea, "zk.scroll." + which, 0);
    if (which !== key) drawTabs(list);
    else location.href = (list[at] || list[at - 1] || list[list.length - 1] || { url: "/" }).url;
  }
  function mark(icon, label, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.title = label;
    button.setAttribute("aria-label", label);
    button.innerHTML = '<i class="ti ti-' + icon + '"></i>';
    button.addEventListener("click", act);
    return button;
  }
  function drawTabs(list) {
    const bar = $("#tabs");
    if (!bar) return;
    const twice = (tab) => tab.code && list.some((other) => other !== tab && other.title === tab.title);
    bar.replaceChildren(
      ...[{ key: "home", title: "首页", url: "/" }, ...list].map((tab) => {
        const title = twice(tab) ? tab.title + " " + tab.code : tab.title;
        const box = document.createElement("span");
        const link = document.createElement("a");
        box.className = tab.key === key ? "tab on" : "tab";
        link.href = tab.url;
        link.textContent = link.title = title;
        box.append(link);
        if (tab.key === key) link.setAttribute("aria-current", "page");
        if (tab.key === key) box.append(mark("refresh", "刷新「" + title + "」", () => location.reload()));
        if (tab.key !== "home") {
          box.append(mark("x", "关闭「" + title + "」", () => closeTab(tab.key)));
          box.addEventListener("auxclick", (event) => event.button === 1 && (event.preventDefault(), closeTab(tab.key)));
        }
        return box;
      })
    );
    const front = $(".on", bar);
    if (front) front.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  if (body.dataset.who) drawTabs(openTab());

  // A tab comes back where it was left; a form begins at its top, where its questions and remarks stand.
  const scroller = () => $(".page.fit .tbl") || $("#main");
  if (scroller() && !passing && !$("[data-form]")) {
    const top = remember(tabArea, "zk.scroll." + key);
    if (top && top.url === here) scroller().scrollTop = top.at;
    addEventListener("pagehide", () => remember(tabArea, "zk.scroll." + key, { url: here, at: scroller().scrollTop }));
  }

  /* ---- menu, drop-downs, theme */
  $$(".nav details").forEach((group) => {
    const name = "zk.group." + $("summary", group).textContent.trim().replace(/\d+\+?$/, "");
    if (remember(ownArea, name) === false && !$(".on", group)) group.open = false;
    group.addEventListener("toggle", () => remember(ownArea, name, group.open));
  });

  const active = $(".nav .on");
  if (active) active.scrollIntoView({ block: "nearest" });

  function theme() {
    const dark = root.dataset.theme === "dark" ||
      (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme:dark)").matches);
    const next = dark ? "light" : "dark";
    root.dataset.theme = next;
    document.cookie = "zk_theme=" + next + ";path=/;max-age=31536000;samesite=lax";
    document.dispatchEvent(new CustomEvent("zk:theme", { detail: next }));
  }
  const doings = {
    theme,
    rail() {
      const folded = root.classList.toggle("rail");
      remember(ownArea, "zk.rail", folded ? 1 : 0);
    },
    drawer() {
      const open = root.classList.toggle("drawer");
      if (open) $("#side a").focus();
    },
    dismiss: (button) => button.closest(".note").remove(),
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button && doings[button.dataset.do]) doings[button.dataset.do](button);
    $$("details.dd[open]").forEach((open) => open.contains(event.target) || (open.open = false));
    const link = event.target.closest(".nav a[data-key]");
    if (!link || link.target || link.search || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // An open page comes forward with its filters instead of opening a second time.
    const open = tabs().find((tab) => tab.key === link.pathname);
    if (open) {
      event.preventDefault();
      location.href = open.url;
    }
  });

  function placePop(details) {
    const pop = $(".pop", details);
    if (!pop || !details.open) return;
    pop.style.cssText = "";
    const box = pop.getBoundingClientRect();
    if (box.right > innerWidth - 8) pop.style.cssText = "left:auto;right:0";
    if (box.left < 8) pop.style.cssText = "right:auto;left:0";
  }
  document.addEventListener("toggle", (event) => event.target.matches("details.dd") && placePop(event.target), true);

  /* ---- what is ticked in a list that opens, said by its summary at once */
  function said(list) {
    const names = $$("input:checked", list).map((tick) => tick.parentElement.textContent.trim());
    const [words, count] = [$("[data-said]", list), $("summary b", list)];
    words.textContent = names.length ? words.dataset.lead + names.join("、") : words.dataset.none;
    count.textContent = names.length;
    count.hidden = !names.length;
  }
  document.addEventListener("change", (event) => {
    const list = event.target.closest("details.ms");
    if (list) said(list);
  });
  // Going back, the browser ticks what was ticked.
  window.addEventListener("pageshow", () => $$("details.ms").forEach(said));

  /* ---- keyboard */
  const typing = (target) => target.closest("input,textarea,select,[contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !typing(event.target) && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      $("#q").focus();
      $("#q").select();
    }
    if (event.key !== "Escape") return;
    const open = $("details.dd[open]");
    if (open) {
      open.open = false;
      $("summary", open).focus();
      event.stopImmediatePropagation();
    }
    root.classList.remove("drawer");
    if (event.target.id === "q") event.target.blur();
  });

  /* ---- questions and submits */
  /* `button` is what was clicked: it names the deed, and says by its tone whether it takes something away. */
  function ask(button, then, many) {
    const dialog = document.createElement("dialog");
    const label = button.textContent.trim();
    const grave = button.dataset.tone === "r";
    dialog.innerHTML =
      '<form method="dialog"><div class="pad"><h2></h2><p></p></div>' +
      '<div class="ends"><button class="btn2" value="">取消</button><button class="btn1" value="yes"></button></div></form>';
    const yes = $(".btn1", dialog);
    if (button.dataset.stay) $(".btn2", dialog).textContent = button.dataset.stay;
    yes.textContent = label;
    yes.classList.toggle("danger", grave);
    $("h2", dialog).textContent = label + (many ? " " + many + " 条记录" : "");
    $("p", dialog).textContent = button.dataset.confirm;
    dialog.setAttribute("aria-label", $("h2", dialog).textContent);
    body.append(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue === "yes") then();
    });
    dialog.showModal();
    (grave ? $(".btn2", dialog) : yes).focus();
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-confirm]:not([type=button])");
    if (!button || button.dataset.sure) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const ticked = button.form && $("[data-ticked]", button.form);
    ask(button, () => {
      button.dataset.sure = "1";
      button.click();
      delete button.dataset.sure;
    }, ticked ? ticked.textContent : "");
  }, true);

  function busy() {
    if ($(".busy")) return;
    const line = document.createElement("div");
    line.className = "busy";
    body.append(line);
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    const by = event.submitter;
    if (by && "stays" in by.dataset) return; // a download: the page stays as it is
    if (form.method === "post") form.dataset.sent = "1";
    busy();
  });
  addEventListener("pageshow", () => {
    $$("form[data-sent]").forEach((form) => delete form.dataset.sent);
    $$(".busy").forEach((line) => line.remove());
  });

  /* ---- a success has been read after a while; a problem stays until somebody closes it */
  const READ = 6000;
  $$(".flashes .note.good,.flashes .note.success").forEach((note) => {
    function leave() {
      if (note.matches(":hover,:focus-within")) return setTimeout(leave, READ / 2);
      note.classList.add("gone");
      return setTimeout(() => note.remove(), 400);
    }
    setTimeout(leave, READ);
  });

  /* ---- the clock of the head (D-01) */
  const clock = $("#now");
  function tell() {
    // The hour in China, wherever the computer thinks it stands.
    const now = new Date(Date.now() + 8 * 3600000);
    const two = (n) => String(n).padStart(2, "0");
    const hour = now.getUTCHours();
    clock.textContent = now.getUTCFullYear() + "年" + two(now.getUTCMonth() + 1) + "月" + two(now.getUTCDate()) + "日 " +
      (hour < 12 ? "上午" : "下午") + " " + two(hour % 12 || 12) + ":" + two(now.getUTCMinutes()) + ":" + two(now.getUTCSeconds());
  }
  if (clock) {
    tell();
    setInterval(tell, 1000);
  }

  Object.assign(window.zk, { $, $$, ask, busy, remember, tabArea, ownArea, typing, narrow: () => NARROW.matches });
})();
