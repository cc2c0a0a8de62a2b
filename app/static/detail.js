/* The page of one record: tabs of what belongs to it, and the way through the list one came from. */
(function () {
  "use strict";
  const { $, $$, remember, tabArea } = window.zk;

  /* ---- tabs of related records on a detail page */
  $$("[data-reltabs]").forEach((box) => {
    const panels = $$("section", box);
    const bar = $(".reltabs", box);
    bar.hidden = false;
    bar.setAttribute("role", "tablist");
    const links = panels.map((panel) => {
      const link = document.createElement("a");
      link.href = "#" + panel.id;
      link.setAttribute("role", "tab");
      link.textContent = panel.dataset.label;
      const count = document.createElement("small");
      count.textContent = panel.dataset.count;
      link.append(count);
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-label", panel.dataset.label);
      bar.append(link);
      return link;
    });
    function show(at) {
      panels.forEach((panel, i) => (panel.hidden = i !== at));
      links.forEach((link, i) => {
        link.setAttribute("aria-selected", String(i === at));
        link.tabIndex = i === at ? 0 : -1;
      });
    }
    bar.addEventListener("click", (event) => {
      const at = links.indexOf(event.target.closest("a"));
      if (at < 0) return;
      event.preventDefault();
      history.replaceState(null, "", links[at].hash);
      show(at);
    });
    bar.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const at = (links.indexOf(document.activeElement) + step + links.length) % links.length;
      show(at);
      links[at].focus();
    });
    const named = panels.findIndex((panel) => "#" + panel.id === location.hash);
    show(named >= 0 ? named : Math.max(0, panels.findIndex((panel) => panel.dataset.count !== "0")));
  });

  /* ---- 上一条 and 下一条 of the list this tab showed last */
  const page = $("[data-detail]");
  const walk = page && remember(tabArea, "zk.walk." + page.dataset.detail);
  const at = walk ? walk.rows.indexOf(location.pathname) : -1;
  if (at < 0) return;
  $(".crumbs a", page).href = walk.url;
  const way = $("[data-walk]", page);
  way.hidden = false;
  $$("a", way).forEach((link) => {
    const to = walk.rows[at + Number(link.dataset.walkStep)];
    if (to) link.href = to;
    else {
      link.setAttribute("role", "link");
      link.setAttribute("aria-disabled", "true");
    }
  });
  $(".pos", way).textContent = at + 1 + " / " + walk.rows.length;
})();
