// Play, step and scrub through the epochs.

const LONGEST = 14; // seconds to play a descent
const PER_SECOND = 6; // epochs, where they are few

class Player {
  constructor(app) {
    this.app = app;
    const find = (id) => document.getElementById(id);
    [this.play, this.back, this.forward, this.whole, this.scrub, this.epoch, this.readout] = [
      "play",
      "back",
      "forward",
      "whole",
      "scrub",
      "epoch",
      "readout",
    ].map(find);
    this.whole.addEventListener("click", () => app.turn());
    this.play.addEventListener("click", () => this.toggle());
    this.back.addEventListener("click", () => this.step(-1));
    this.forward.addEventListener("click", () => this.step(1));
    this.scrub.addEventListener("input", () => {
      this.pause();
      app.show(Math.round(app.axis.back(this.scrub.valueAsNumber / 1000)));
    });
    this.scrub.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** A key that is pressed on the page, and on nothing that has keys of its own. */
  onPage(event) {
    if (event.target.closest("input, button, select, summary, [role=button]")) return;
    if (event.key === " ") {
      event.preventDefault();
      this.toggle();
    } else this.onKey(event);
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
    this.app.show(this.app.epoch + epochs);
  }

  toggle() {
    if (this.isPlaying) {
      this.pause();
      return;
    }
    const { app } = this;
    if (app.epoch >= app.last) app.show(app.descent.first);
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
    const long = Math.max((app.last - app.descent.first) / PER_SECOND, 1);
    this.part = Math.min(this.part + seconds / Math.min(LONGEST, long), 1);
    app.show(Math.floor(app.axis.back(this.part) + 1e-9));
    if (this.part >= 1) {
      app.show(Infinity);
      this.pause();
    } else requestAnimationFrame((next) => this.tick(next));
  }

  draw({ epochs, step, began, descent, axis, settings, params }) {
    const { end, isWhole, seen, epoch, other } = this.app;
    set(this.play, {
      "aria-pressed": String(Boolean(this.isPlaying)),
      class: this.isPlaying ? "playing" : null,
    });
    say(this.play.querySelector("span"), this.isPlaying ? "Pause" : "Play");
    this.back.disabled = epoch === descent.first;
    this.forward.disabled = epoch >= epochs;
    this.scrub.value = 1000 * axis.along(epoch);
    this.scrub.style.setProperty("--done", `${tidy(100 * axis.along(epoch))}%`);
    set(this.scrub, { "aria-valuetext": `epoch ${epoch} of ${epochs}` });
    const isOver = descent.status && (other?.descent.status ?? true);
    const last = isOver ? epochs : end;
    const working = this.app.reached >= last ? "" : " …";
    const isCut = !isOver && seen !== null && seen < end;
    this.whole.hidden = !isCut;
    if (isCut) say(this.whole, isWhole ? `to ${counted(seen)} only` : `show to ${counted(end)}`);
    set(this.whole, { title: isCut ? `nothing changes after epoch ${counted(seen)}` : "" });
    this.epoch.replaceChildren(
      "epoch ",
      element("b", {}, counted(epoch)),
      ` of ${counted(last)}${working}`,
    );
    this.readout.replaceChildren(
      ...this.numbers(epoch > descent.first ? step : began, params, settings),
      ...this.ofOther(other, epoch),
      ...this.ending(epoch, epochs, step, descent, settings),
    );
  }

  /** The losses in the row of an epoch, at the start those of the first row, and with one feature
   * the line. */
  numbers({ loss, began }, params, { scale }) {
    const pair = (kind, name, value) =>
      element("span", { class: kind }, `${name} `, element("b", {}, short(value)));
    const losses = [pair("loss-text", "loss", loss)];
    if (run.validation)
      losses.push(pair("validation-text", "validation loss", validationLoss(began, scale)));
    if (run.features.length > 1) return losses;
    const names = paramNames(run);
    return [...losses, ...names.map((name, place) => pair("path-text", name, params[place]))];
  }

  /** The loss of the other of two runs. */
  ofOther(other, epoch) {
    if (!other) return [];
    const { descent, number } = other;
    const { loss } = epoch > descent.first ? descent.at(epoch) : (descent.kept[1] ?? descent.last);
    return [
      element("span", { class: "rival-text" }, `run ${number} `, element("b", {}, short(loss))),
    ];
  }

  /** How it ended, at the end. */
  ending(epoch, epochs, step, descent, settings) {
    if (descent.status)
      return [
        element("strong", { class: "bad" }, `diverged at epoch ${counted(descent.last.epoch)}`),
      ];
    if (epoch < epochs || epoch === descent.first) return [];
    const { minimum_loss: minimum } = run.scales[settings.scale];
    const first = descent.kept[1].loss;
    if (step.loss > first) return [element("strong", { class: "bad" }, "the loss has grown")];
    const above = minimum === undefined ? "" : aboveMinimum(step.loss, minimum, first);
    return above ? [element("span", {}, above)] : [];
  }
}
