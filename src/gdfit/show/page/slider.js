// The learning rate's slider: logarithmic, with the limit marked, and what the present place means.

class RateSlider {
  constructor(app) {
    this.app = app;
    const find = (id) => document.getElementById(id);
    [this.range, this.field, this.track, this.limit, this.own, this.lead, this.meaning] = [
      "lr",
      "lr-field",
      "lr-track",
      "lr-limit",
      "lr-own",
      "lead",
      "meaning",
    ].map(find);
    this.range.addEventListener("input", () => {
      app.change({ lr: Number((10 ** this.range.valueAsNumber).toPrecision(3)) });
    });
    takeTyped(app, "lr", this.field);
  }

  draw({ settings, shape: bends, step }) {
    const isFound = LINE_SEARCHES.includes(settings.optimizer);
    this.range.disabled = isFound;
    this.field.disabled = isFound;
    set(this.track.parentElement, { class: isFound ? "slider idle" : "slider" });
    const limit = stableLimit(settings, bends);
    this.span(settings, limit);
    const place = (lr) => `${tidy((100 * (Math.log10(lr) - this.low)) / (this.high - this.low))}%`;
    const { style } = this.track;
    style.setProperty("--limit", limit ? place(limit.lr) : "100%");
    style.setProperty("--half", limit ? place(limit.calm) : "100%");
    set(this.track, { class: limit ? "track" : "track free" });
    this.limit.hidden = !limit;
    if (limit) say(this.limit.firstElementChild, `limit ${limit.text} = ${brief(limit.lr, 4)}`);
    this.own.hidden = !run.settings.lr;
    if (run.settings.lr) style.setProperty("--own", place(run.settings.lr));
    if (run.settings.lr) say(this.own, `the run: ${brief(run.settings.lr, 4)}`);
    const [kind, lead, text] = verdict(settings, bends);
    if (isFound) {
      fill(this.field, step.rate === undefined ? "" : Number(step.rate.toPrecision(6)));
      this.shown = null;
    } else {
      fill(this.field, Number(settings.lr.toPrecision(6))); // typed back in, it is a number again
      if (settings.lr !== this.shown) this.range.value = Math.log10(settings.lr);
      this.shown = settings.lr;
    }
    set(this.range, { "aria-valuetext": `${brief(settings.lr, 3)}: ${lead}` });
    say(this.lead, lead);
    set(this.lead, { class: kind });
    say(this.meaning, text);
  }

  /** How far the slider goes: it stays where it is while one moves it. */
  span({ optimizer, scale, lr }, limit) {
    const key = `${optimizer} ${scale}`;
    const now = Math.log10(lr);
    const isOutside = now < this.low || now > this.high;
    if (key === this.key && !isOutside) return;
    const own = Math.log10(run.settings.lr ?? lr);
    const centre = limit ? Math.log10(limit.lr) : own;
    this.low = Math.floor(Math.min(centre - 3, now - 0.3, own - 0.3));
    this.high = Math.ceil(10 * Math.max(centre + (limit ? 1 : 2), now + 0.3, own + 0.3)) / 10;
    this.key = key;
    set(this.range, { min: this.low, max: this.high, step: 0.01 });
    this.shown = null;
  }
}
