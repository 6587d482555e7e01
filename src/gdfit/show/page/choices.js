// Optimizer, scale, start, μ and the number of epochs.

// What settings that are numbers take, and how that is said.
const isPositive = (value) => value > 0 && Number.isFinite(value);
const TAKES = {
  lr: [isPositive, "a positive number"],
  momentum: [(value) => value >= 0 && value < 1, "a number from 0 on that is less than 1"],
  decay: [isPositive, "a positive number"],
  factor: [(value) => value > 0 && value <= 1, "a factor up to 1 with this schedule"],
  epochs: [
    (value) => Number.isInteger(value) && value >= 1 && value <= MOST_EPOCHS,
    "a whole number from 1 to 10,000,000",
  ],
};
const START_NAMES = { run: "as in the run", zeros: "zeros", random: "random" };

/** The number that a text says for a setting; or `why` it is none that it takes. */
function numberFor(name, text, { schedule }) {
  const value = Number(text.trim().replace(",", ".") || NaN);
  const isFactor = name === "decay" && ["step", "exponential"].includes(schedule);
  const [fits, takes] = TAKES[isFactor ? "factor" : name];
  return fits(value) ? { value } : { why: `${name} takes ${takes}${text && `, not ${text}`}` };
}

/** Take what is typed into a field, or say why not, and show again what there is. */
function takeTyped(app, name, field) {
  field.addEventListener("change", () => {
    const { value, why } = numberFor(name, field.value, app.settings);
    field.shown = null;
    if (why) refuse(why, field);
    else app.change({ [name]: value });
    app.draw();
  });
}

/** Say in a line what can't be used, and mark the field that it was typed into; or take both away. */
function refuse(why, field) {
  const line = document.getElementById("refused");
  line.hidden = !why;
  say(line, why);
  for (const each of document.querySelectorAll("[aria-invalid]"))
    set(each, { "aria-invalid": null });
  if (field) set(field, { "aria-invalid": "true" });
}

/** A field's text, where what it shows has changed: not while one types. */
function fill(field, value) {
  if (field.shown !== value) field.value = value;
  field.shown = value;
}

class Choices {
  constructor(app) {
    this.app = app;
    const find = (id) => document.getElementById(id);
    this.optimizers = this.radios(
      find("optimizers"),
      "optimizer",
      Object.keys(rulesOf(run.settings)),
    );
    this.scales = this.radios(find("scales"), "scale", Object.keys(run.scales));
    find("scales").hidden = Object.keys(run.scales).length === 1;
    this.mu = find("mu");
    this.muValue = find("mu-value");
    this.epochs = find("epochs");
    this.again = find("again");
    this.mu.addEventListener("input", () => app.change({ momentum: this.mu.valueAsNumber }));
    takeTyped(app, "epochs", this.epochs);
    this.again.addEventListener("click", () => app.reset());
    [this.schedule, this.decay, this.race, this.runs] = ["schedule", "decay", "race", "runs"].map(
      find,
    );
    this.schedule.append(...Object.keys(SCHEDULES).map((name) => element("option", {}, name)));
    this.schedule.addEventListener("change", () =>
      app.change({ schedule: this.schedule.value, decay: null }),
    );
    takeTyped(app, "decay", this.decay);
    this.race.addEventListener("click", () => app.race());
    this.runs.addEventListener("click", () => app.swap());
    const starts = find("starts");
    starts.hidden = run.features.length === 1 && run.intercept; // it can be dragged there
    for (const [name, text] of Object.entries(START_NAMES)) {
      const button = element("button", { type: "button" }, text);
      button.addEventListener("click", () => app.startFrom(name));
      starts.append(button);
    }
  }

  /** A radio button for each of `names` in a field set. */
  radios(holder, setting, names) {
    return names.map((name) => {
      const input = element("input", { type: "radio", name: setting, value: name });
      input.addEventListener("change", () => this.app.change({ [setting]: name }));
      holder.append(element("label", {}, input, element("span", {}, name)));
      return input;
    });
  }

  draw({ settings, differs }) {
    for (const input of this.optimizers) input.checked = input.value === settings.optimizer;
    for (const input of this.scales) input.checked = input.value === settings.scale;
    const hasMomentum = ["momentum", "nesterov"].includes(settings.optimizer);
    this.mu.closest("label").hidden = !hasMomentum;
    this.mu.value = settings.momentum;
    say(this.muValue, brief(settings.momentum));
    fill(this.epochs, this.app.epochs);
    this.again.disabled = !differs;
    const { schedule, decay, optimizer } = settings;
    this.schedule.value = schedule;
    this.schedule.closest("label").hidden = LINE_SEARCHES.includes(optimizer);
    this.decay.hidden = !(schedule in DECAYS) || LINE_SEARCHES.includes(optimizer);
    fill(this.decay, decay ?? DECAYS[schedule] ?? "");
    const { other, number } = this.app;
    set(this.race, { "aria-pressed": String(Boolean(other)) });
    say(this.race, other ? "end the race" : "race a second run");
    this.runs.hidden = !other;
    if (other) say(this.runs, `run ${number} is set; set run ${other.number}`);
  }
}
