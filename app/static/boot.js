/* Runs before the first paint, so that nothing jumps: marks that scripts work, restores the folded menu.
   Whatever dresses inputs registers here and runs on the page, and on every form that comes into it later. */
(function (root) {
  root.classList.replace("nojs", "js");
  try {
    if (localStorage.getItem("zk.rail") === "1") root.classList.add("rail");
  } catch (_refused) {
    // Storage may be switched off by policy; the menu then starts unfolded.
    root.classList.remove("rail");
  }
})(document.documentElement);

window.zk = {
  dressers: [],
  dress: (root) => window.zk.dressers.forEach((one) => one(root)),
};
document.addEventListener("DOMContentLoaded", () => window.zk.dress(document));
