// The page's own run, or the file that is taken: where all begins.

let app = null;
const held = JSON.parse(document.getElementById("run").textContent);
const PARTS = ["header", ".controls", "#steepest", "main", "#sums", "footer"];
const blank = PARTS.map((part) => document.querySelector(part).cloneNode(true));

/** Show no run: elements that nothing has been done to, and no settings of one in the address. */
function clear() {
  app?.close();
  app = null;
  run = null;
  PARTS.forEach((part, place) =>
    document.querySelector(part).replaceWith(blank[place].cloneNode(true)),
  );
}

/** Show a run. */
function begin(record) {
  clear();
  take(record);
  app = new App();
  if (location.hash.slice(1) !== written) goTo(app, location.hash.slice(1));
}

window.addEventListener("hashchange", () => {
  if (!app) return;
  app.reset();
  app.look("path");
  goTo(app, location.hash.slice(1));
});
document.addEventListener("keydown", (event) => app?.player.onPage(event));
if (held.rows) begin(held);
else new FileView();
