/* Buttons that fill in the field beside them: from another field at once, else with the server's answer. Without
   this script they send the form, which comes back filled in. */
(function () {
  "use strict";

  const $ = (selector, root) => root.querySelector(selector);
  const $$ = (selector, root) => Array.from(root.querySelectorAll(selector));

  function fill(input, value) {
    input.value = value;
    for (const kind of ["input", "change"]) input.dispatchEvent(new Event(kind, { bubbles: true }));
    input.focus();
  }

  function say(fld, text) {
    const note = $("[data-aid-note]", fld);
    note.textContent = text;
    note.hidden = !text;
  }

  /* Several answers: one of them is chosen from a list under the field. */
  function choose(fld, options, then) {
    const list = document.createElement("div");
    list.className = "quick aid-list";
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", "请选择");
    for (const one of options) {
      const pick = document.createElement("button");
      Object.assign(pick, { type: "button", textContent: one.label });
      pick.addEventListener("click", () => {
        list.remove();
        then(one.value);
      });
      list.append(pick);
    }
    $(".suf", fld).after(list);
    $("button", list).focus();
  }

  async function ask(button, fld, input) {
    const form = button.form;
    const sent = new URLSearchParams(new FormData(form));
    sent.append("_aid", button.value);
    $$(".aid-list", fld).forEach((old) => old.remove());
    say(fld, "");
    button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: sent, headers: { "X-Zk-Aid": "1" } });
      if (!answer.ok || answer.redirected) throw new TypeError("no answer");
      const { options, message } = await answer.json();
      if (options.length > 1) choose(fld, options, (value) => fill(input, value));
      else if (options.length) fill(input, options[0].value);
      else say(fld, message);
    } catch (_offline) {
      say(fld, "暂时无法查询，请稍后再试，或直接填写");
    }
    button.disabled = fld.hasAttribute("data-closed");
  }

  window.zk.dressers.push((root) => {
    for (const button of $$("[data-aid]", root)) {
      const fld = button.closest(".fld");
      const input = $(".in", fld);
      button.type = "button";
      button.addEventListener("click", () => {
        const from = button.dataset.aid && button.form.elements[button.dataset.aid];
        if (from) fill(input, from.value);
        else ask(button, fld, input);
      });
    }
  });
})();
