// Play, step and scrub through the epochs.

const LONGEST = 14; // seconds to play a descent
const PER_SECOND = 6; // epochs, where they are few

class Player {
  constructor(app) {
    this.app = app;
    const find = (id) => document.getElementById(id);
    [this.play, this.back, this.forward, this.scrub, this.epoch, this.readout] = [
      "play",
      "back",
      "forward",
      "scrub",
      "epoch",
      "readout",
    ].map(find);
    this.play.addEventListener("click", () => this.toggle());
    this.back.addEventListener("click", () => this.step(-1));
    this.forward.addEventListener("click", () => this.step(1));
    this.scrub.addEventListener("input", () => {
      this.pause();
      app.show(Math.round(app.axis.back(this.scrub.valueAsNumber / 1000)));
    });
    this.scrub.addEventListener("keydown", (event) => this.onKey(event));
    document.addEventListener("keydown", (event) => {
      if (event.target.closest("input, button, select, [role=button]")) return;
      if (event.key === " ") {
        event.preventDefault();
        this.toggle();
      } else this.onKey(event);
    });
  }

  /** The keys of the scrubber: an epoch, or for the pages ten. */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -10,
      PageUp: 10,
      Home: -Infinity,
      End: Infinity,
    }[event.key];
    if (!steps) return;
    event.preventDefault();
    this.step(steps);
  }

  step(epochs) {
    this.pause();
    this.app.show(Math.max(0, this.app.epoch + epochs));
  }

  toggle() {
    if (this.isPlaying) {
      this.pause();
      return;
    }
    const { app } = this;
    if (app.epoch >= app.last) app.show(0);
    this.isPlaying = true;
    this.part = app.axis.along(app.epoch);
    this.time = null;
    requestAnimationFrame((time) => this.tick(time));
    app.draw();
  }

  pause() {
    this.isPlaying = false;
    this.app.draw();
  }

  /** A frame of playing: evenly along the axis of epochs, so that the first are the slowest. */
  tick(time) {
    if (!this.isPlaying) return;
    const { app } = this;
    const seconds = Math.min((time - (this.time ?? time)) / 1000, 0.1);
    this.time = time;
    this.part = Math.min(
      this.part + seconds / Math.min(LONGEST, Math.max(app.last / PER_SECOND, 1)),
      1,
    );
    app.show(Math.floor(app.axis.back(this.part) + 1e-9));
    if (this.part >= 1) {
      app.show(Infinity);
      this.pause();
    } else requestAnimationFrame((next) => this.tick(next));
  }

  draw({ epoch, epochs, step, descent, axis, settings, params }) {
    set(this.play, {
      "aria-pressed": String(Boolean(this.isPlaying)),
      class: this.isPlaying ? "playing" : null,
    });
    say(this.play.querySelector("span"), this.isPlaying ? "Pause" : "Play");
    this.back.disabled = epoch === 0;
    this.forward.disabled = epoch >= epochs;
    this.scrub.value = 1000 * axis.along(epoch);
    this.scrub.style.setProperty("--done", `${tidy(100 * axis.along(epoch))}%`);
    set(this.scrub, { "aria-valuetext": `epoch ${epoch} of ${epochs}` });
    const working = descent.status || descent.last.epoch >= epochs ? "" : " …";
    this.epoch.replaceChildren(
      "epoch ",
      element("b", {}, counted(epoch)),
      ` of ${counted(epochs)}${working}`,
    );
    this.readout.replaceChildren(
      ...this.numbers(epoch, step, params),
      ...this.ending(epoch, epochs, step, descent, settings),
    );
  }

  /** The loss, and with one feature the line, at this epoch. */
  numbers(epoch, step, params) {
    const pair = (kind, name, value) =>
      element("span", { class: kind }, `${name} `, element("b", {}, short(value)));
    const losses = epoch ? [pair("loss-text", "loss", step.loss)] : [];
    if (run.features.length > 1) return losses;
    const names = paramNames(run);
    return [...losses, ...names.map((name, place) => pair("path-text", name, params[place]))];
  }

  /** How it ended, at the end. */
  ending(epoch, epochs, step, descent, settings) {
    if (epoch < epochs || !epoch) return [];
    if (descent.status)
      return [element("strong", { class: "bad" }, `diverged at epoch ${counted(epoch)}`)];
    const { minimum_loss: minimum } = run.scales[settings.scale];
    const first = descent.kept[1].loss;
    if (step.loss > first) return [element("strong", { class: "bad" }, "the loss has grown")];
    const above = minimum === undefined ? "" : aboveMinimum(step.loss, minimum, first);
    return above ? [element("span", {}, above)] : [];
  }
}
