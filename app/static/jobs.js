/* 任务中心: moves the bars of jobs that go on; when one has ended the page is read anew. */
(function () {
  "use strict";
  const PAUSE = 2000;
  const bars = () => Array.from(document.querySelectorAll("[data-live]"));
  const busy = () => document.querySelector("details[open] form, dialog[open], input[name=id]:checked");

  async function look() {
    const shown = bars();
    if (!shown.length) return;
    if (!document.hidden) {
      const ids = new URLSearchParams(shown.map((bar) => ["id", bar.dataset.live]));
      try {
        const answer = await fetch("/jobs/progress?" + ids, { headers: { Accept: "application/json" } });
        if (answer.status === 401 || answer.status === 403) return;
        if (answer.ok && move(shown, (await answer.json()).jobs) && !busy()) return location.reload();
      } catch (error) {
        /* the server is away for a moment: the next look will tell */
      }
    }
    setTimeout(look, PAUSE);
  }

  /* Whether one of them goes on no longer. */
  function move(shown, jobs) {
    let ended = false;
    shown.forEach((bar) => {
      const job = jobs[bar.dataset.live];
      if (!job || !job.open) return (ended = true);
      bar.querySelector("progress").value = job.percent;
      bar.querySelector("b").textContent = job.percent + "%";
    });
    return ended;
  }

  setTimeout(look, PAUSE);
})();
