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

/** Go to what the address says, and say what of it can't be used, which is left as it is. */
function goTo(app, text) {
  const said = new URLSearchParams(text);
  const used = new Set();
  /** What the address says by a name, as `valueOf` takes it; nothing where it takes none. */
  const read = (name, valueOf) => {
    const given = said.get(name);
    const value = given === null ? undefined : valueOf(given);
    if (value !== undefined) used.add(name);
    return value;
  };
  const oneOf = (names) => (given) => (names.includes(given) ? given : undefined);
  const numbersOf = (count) => (given) => {
    const numbers = given.split(",").map((each) => Number(each || NaN));
    return numbers.length === count && numbers.every(Number.isFinite) ? numbers : undefined;
  };
  const points = read("points", (given) => {
    const pairs = given.split(",").map((point) => point.split(":").map(Number));
    const isWhole = pairs.length > 1 && pairs.every((pair) => pair.length === 2);
    return isWhole && pairs.flat().every(Number.isFinite) && canObserve() ? pairs : undefined;
  });
  if (points) app.observe(observed(points));
  const chosen = (before, settings) => {
    const changes = {};
    const names = {
      optimizer: Object.keys(rulesOf(run.settings)),
      scale: Object.keys(run.scales),
      schedule: Object.keys(SCHEDULES),
    };
    const keep = (name, valueOf) => {
      const value = read(before + name, valueOf);
      if (value !== undefined) changes[name] = value;
    };
    for (const name of TEXTS) keep(name, oneOf(names[name]));
    if (changes.schedule) changes.decay = null; // the schedule's own
    for (const name of NUMBERS)
      keep(name, (given) => numberFor(name, given, { ...settings, ...changes }).value);
    keep("start", numbersOf(run.features.length + 1));
    return changes;
  };
  const epochs = read("epochs", (given) => numberFor("epochs", given, {}).value);
  app.change({ ...chosen("", app.settings), ...(epochs ? { epochs } : {}) });
  const number = Number(read("race", oneOf(["1", "2"])));
  if (number) {
    const { settings, start } = app;
    app.race();
    app.number = number;
    Object.assign(app.other, {
      settings: { ...app.first },
      start: [...run.scales[run.settings.scale].start],
      number: 3 - app.number,
    });
    const { start: from, ...changes } = chosen("other.", app.first);
    Object.assign(app.other.settings, changes);
    app.other.start = from ?? [...run.scales[app.other.settings.scale].start];
    app.other.descent = app.descentFrom(app.other);
    Object.assign(app, { settings, start });
    app.work();
  }
  if (read("view", oneOf(["path", "modes"]))) app.look(said.get("view"));
  const { first } = app.descent;
  const epoch = read("epoch", (given) => {
    if (given === "last") return Infinity;
    return given && Number(given) >= 0 ? Math.floor(Number(given)) : undefined;
  });
  if (epoch !== undefined) app.wanted = Math.max(epoch, first);
  const unused = [...said].filter(([name]) => !used.has(name));
  if (unused.length) {
    const told = unused.map(([name, given]) => `${name}=${given}`.slice(0, 40));
    refuse(`Of the link this can't be used: ${told.join(", ")}`);
  }
  app.draw();
}
