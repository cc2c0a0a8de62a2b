/* An announcement that is opened has been read: its red dot goes away for this person. */
(function () {
  "use strict";
  const form = document.querySelector("[data-read]");
  if (form) fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" });
})();
