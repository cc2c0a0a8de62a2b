/* The bell: its number is asked for while somebody looks at the page, and it drops down the newest messages.
   Without scripts it is a link. */
(function () {
  "use strict";
  const { $, narrow } = window.zk;
  const bell = $("[data-bell]");
  if (!bell) return;
  const EVERY = 30000;
  const LONGEST = 600000;
  let pause = EVERY;
  let timer = 0;
  const asked = { "X-Requested-With": "fetch", Accept: "application/json" };

  function show(words) {
    const count = $("b", bell);
    if (words && count) count.textContent = words;
    else if (words) bell.insertAdjacentElement("beforeend", Object.assign(document.createElement("b"), { textContent: words }));
    else if (count) count.remove();
    bell.setAttribute("aria-label", "我的提醒消息" + (words ? "，" + words + " 条未读" : ""));
  }

  /* Not while the page is hidden, less often while the server does not answer, not any more once nobody is
     signed in. */
  function wait() {
    clearTimeout(timer);
    if (!document.hidden && pause) timer = setTimeout(ask, pause);
  }
  async function ask() {
    try {
      const answer = await fetch("/notifications/unread", { headers: asked, redirect: "error" });
      if (answer.status === 401) pause = 0;
      else if (!answer.ok) throw new Error(String(answer.status));
      else {
        show((await answer.json()).unread);
        pause = EVERY;
      }
    } catch (unanswered) {
      pause = Math.min(pause * 2, LONGEST);
    }
    wait();
  }
  let hiddenAt = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      hiddenAt = Date.now();
      clearTimeout(timer);
    } else if (pause && Date.now() - hiddenAt > EVERY) ask();
    else wait();
  });
  wait();

  /* ---- the newest, under the bell */
  let pop = null;
  function close(back) {
    if (!pop) return;
    pop.remove();
    pop = null;
    bell.setAttribute("aria-expanded", "false");
    if (back) bell.focus();
  }
  async function open() {
    let html;
    try {
      const answer = await fetch("/notifications/newest", { headers: { "X-Requested-With": "fetch" }, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      html = await answer.text();
    } catch (unanswered) {
      location.href = bell.href;
      return;
    }
    pop = document.createElement("div");
    pop.className = "pop news";
    pop.setAttribute("role", "region");
    pop.setAttribute("aria-label", "最新提醒消息");
    pop.innerHTML = html;
    bell.insertAdjacentElement("afterend", pop);
    bell.setAttribute("aria-expanded", "true");
    const first = $("a", pop);
    if (first) first.focus({ preventScroll: true });
  }
  bell.setAttribute("aria-expanded", "false");
  bell.addEventListener("click", (event) => {
    if (narrow() || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (pop) close(false);
    else open();
  });
  document.addEventListener("click", (event) => {
    if (pop && !pop.contains(event.target) && !bell.contains(event.target)) close(false);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && close(true));
})();
