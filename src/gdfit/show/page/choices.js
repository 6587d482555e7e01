// Optimizer, scale, start, μ and the number of epochs.

const START_NAMES = { run: "as in the run", zeros: "zeros", random: "random" };

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
    this.epochs.addEventListener("change", () => {
      const epochs = Math.round(Number(this.epochs.value));
      if (epochs >= 1 && epochs <= MOST_EPOCHS) app.change({ epochs });
      this.shown = null;
      app.draw();
    });
    this.again.addEventListener("click", () => app.reset());
    [this.schedule, this.decay, this.race, this.runs] = ["schedule", "decay", "race", "runs"].map(
      find,
    );
    this.schedule.append(...Object.keys(SCHEDULES).map((name) => element("option", {}, name)));
    this.schedule.addEventListener("change", () =>
      app.change({ schedule: this.schedule.value, decay: null }),
    );
    this.decay.addEventListener("change", () => {
      const decay = Number(this.decay.value.replace(",", "."));
      if (decay > 0 && Number.isFinite(decay)) app.change({ decay });
      app.draw();
    });
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
    if (this.shown !== this.app.epochs) {
      this.shown = this.app.epochs;
      this.epochs.value = this.app.epochs;
    }
    this.again.disabled = !differs;
    const { schedule, decay, optimizer } = settings;
    this.schedule.value = schedule;
    this.schedule.closest("label").hidden = LINE_SEARCHES.includes(optimizer);
    this.decay.hidden = !(schedule in DECAYS) || LINE_SEARCHES.includes(optimizer);
    if (document.activeElement !== this.decay) this.decay.value = decay ?? DECAYS[schedule] ?? "";
    const { other, number } = this.app;
    set(this.race, { "aria-pressed": String(Boolean(other)) });
    say(this.race, other ? "end the race" : "race a second run");
    this.runs.hidden = !other;
    if (other) say(this.runs, `run ${number} is set; set run ${other.number}`);
  }
}
