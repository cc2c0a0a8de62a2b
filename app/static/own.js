/* What a person leaves in the browser (drafts, open pages, recent choices) is not the next one's: it goes at
   the logout, and where a page of somebody else is opened. A session that merely expired keeps it. */
(() => {
  "use strict";
  const LEFT = ["zk.draft.", "zk.tabs", "zk.recent.", "zk.retry", "zk.walk.", "zk.reopen", "zk.scroll."];
  const MARK = "zk.who";
  const areas = () => [sessionStorage, localStorage];

  function forget(area) {
    for (const name of Object.keys(area)) {
      if (name === MARK || LEFT.some((one) => name.startsWith(one))) area.removeItem(name);
    }
  }

  try {
    const who = document.body.dataset.who.split("@")[0];
    for (const area of who ? areas() : []) {
      const last = area.getItem(MARK);
      if (last !== null && last !== who) forget(area);
      area.setItem(MARK, who);
    }
    document.addEventListener("submit", (event) => {
      if (new URL(event.target.action, location.href).pathname === "/logout") areas().forEach(forget);
    });
  } catch (_refused) {
    // Storage is switched off by policy: then nothing is left behind either.
  }
})();
