// What is chosen, in the address: so that a link brings another reader to the same place.

const SOON = 250; // milliseconds after the last change
const TEXTS = ["optimizer", "scale", "schedule"];
const NUMBERS = ["lr", "momentum", "decay"];
const MOST_SENT = 80; // observations that have been changed

let written = ""; // by the page itself: of a run, and not of the next one

class Address {
  constructor(app) {
    this.app = app;
    const link = document.getElementById("link");
    link.addEventListener("click", async () => {
      this.write();
      const isCopied = await copied(location.href);
      const isLeftOut = run !== app.record && sample.length > MOST_SENT;
      say(
        link,
        isCopied ? `copied${isLeftOut ? " without the observations" : ""}` : "copy it above",
      );
      setTimeout(() => say(link, "copy link"), 1500);
    });
  }

  draw() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), SOON);
  }

  write() {
    const { app } = this;
    if (app.isClosed) return;
    const said = new URLSearchParams();
    const { first, other } = app;
    const add = (before, { settings, start }) => {
      for (const name of [...TEXTS, ...NUMBERS])
        if ((settings[name] ?? null) !== (first[name] ?? null) && settings[name] !== null)
          said.set(before + name, settings[name]);
      const own = run.scales[settings.scale].start;
      if (start.some((value, place) => value !== own[place]))
        said.set(`${before}start`, start.join());
    };
    add("", app);
    if (app.epochs !== app.own) said.set("epochs", app.epochs);
    if (app.wanted > app.descent.first)
      said.set("epoch", Number.isFinite(app.wanted) ? app.wanted : "last");
    if (app.view && app.view !== "path") said.set("view", app.view);
    if (other) {
      said.set("race", app.number);
      add("other.", other);
    }
    if (run !== app.record && sample.length <= MOST_SENT)
      said.set(
        "points",
        sample.map((row) => row.map((value) => Number(value.toPrecision(6))).join(":")).join(),
      );
    const text = said.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
    written = text;
    if (text !== location.hash.slice(1)) {
      history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
    }
  }
}

/** Whether a text could be copied. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = element("textarea", {}, text);
    document.body.append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    return isDone;
  }
}

/** Go to what the address says; what it says wrongly is left as it is. */
function goTo(app, text) {
  const said = new URLSearchParams(text);
  const points = said
    .get("points")
    ?.split(",")
    .map((point) => point.split(":").map(Number));
  if (points?.length > 1 && points.flat().every(Number.isFinite) && canObserve())
    app.observe(observed(points));
  const chosen = (before) => {
    const changes = {};
    const { scales } = run;
    const fits = {
      optimizer: (name) => Object.hasOwn(rulesOf(run.settings), name),
      scale: (name) => Object.hasOwn(scales, name),
      schedule: (name) => Object.hasOwn(SCHEDULES, name),
      lr: (value) => value > 0 && Number.isFinite(value),
      momentum: (value) => value >= 0 && value < 1,
      decay: (value) => value > 0 && Number.isFinite(value),
    };
    for (const name of [...TEXTS, ...NUMBERS]) {
      const given = said.get(before + name);
      const value = NUMBERS.includes(name) ? Number(given) : given;
      if (given !== null && fits[name](value)) changes[name] = value;
    }
    const start = said.get(`${before}start`)?.split(",").map(Number);
    if (start?.length === run.features.length + 1 && start.every(Number.isFinite))
      changes.start = start;
    return changes;
  };
  const epochs = Number(said.get("epochs"));
  const isWhole = Number.isInteger(epochs) && epochs >= 1 && epochs <= MOST_EPOCHS;
  app.change({ ...chosen(""), ...(isWhole ? { epochs } : {}) });
  if (said.has("race")) {
    const { settings, start } = app;
    app.race();
    app.number = said.get("race") === "1" ? 1 : 2;
    Object.assign(app.other, {
      settings: { ...app.first },
      start: [...run.scales[run.settings.scale].start],
      number: 3 - app.number,
    });
    const { start: from, ...changes } = chosen("other.");
    Object.assign(app.other.settings, changes);
    app.other.start = from ?? [...run.scales[app.other.settings.scale].start];
    app.other.descent = app.descentFrom(app.other);
    Object.assign(app, { settings, start });
    app.work();
  }
  if (said.get("view") === "modes") app.look("modes");
  const epoch = said.get("epoch");
  if (epoch)
    app.wanted =
      epoch === "last"
        ? Infinity
        : app.descent.first + Math.max(Math.floor(Number(epoch)) - app.descent.first, 0) || 0;
  app.draw();
}
