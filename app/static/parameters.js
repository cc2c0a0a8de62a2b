/* 系统参数: finding one among many. */
(function () {
  "use strict";
  const seek = document.querySelector("[data-seek]");
  if (!seek) return;
  const own = document.querySelector("[data-own]");
  const nothing = document.querySelector("[data-nothing]");
  const parts = Array.from(document.querySelectorAll("[data-part]"));
  function show() {
    const words = seek.value.trim().toLowerCase();
    let any = false;
    for (const part of parts) {
      const whole = part.querySelector("h2").textContent.toLowerCase().includes(words);
      let some = false;
      for (const one of part.querySelectorAll("[data-par]")) {
        one.hidden = !(whole || one.textContent.toLowerCase().includes(words)) || Boolean(own && own.checked && !one.classList.contains("own"));
        some = some || !one.hidden;
      }
      part.hidden = !some;
      any = any || some;
    }
    nothing.hidden = any;
  }
  seek.addEventListener("input", show);
  seek.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
    if (event.key !== "Escape") return;
    seek.value = "";
    show();
  });
  if (own) own.addEventListener("change", show);
})();
