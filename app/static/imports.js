// Files on their way in: the chosen file is named, and a page that waits follows its job.
(() => {
  "use strict";
  const drop = document.querySelector("[data-drop]");
  if (drop) {
    const input = drop.querySelector("input");
    const chosen = drop.querySelector("[data-chosen]");
    const said = chosen.textContent;
    input.addEventListener("change", () => {
      const file = input.files[0];
      chosen.textContent = file ? `${file.name}（${Math.max(1, Math.round(file.size / 1024)).toLocaleString()} KB）` : said;
    });
    for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]])
      drop.addEventListener(name, () => drop.classList.toggle("over", over));
  }

  const waiting = document.querySelector("[data-progress]");
  if (!waiting) return;
  const bar = waiting.querySelector("progress");
  let pause = 700;
  const ask = async () => {
    if (document.hidden) return setTimeout(ask, 1500);
    try {
      const answer = await fetch(waiting.dataset.progress, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const now = await answer.json();
      if (!now.busy) return location.reload();
      bar.value = now.percent;
      waiting.querySelector("[data-percent]").textContent = `${now.percent}%`;
      waiting.querySelector("[data-said]").textContent = now.said;
      pause = Math.min(3000, pause * 1.2);
    } catch {
      pause = Math.min(15000, pause * 2);
    }
    setTimeout(ask, pause);
  };
  setTimeout(ask, pause);
})();
