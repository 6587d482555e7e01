// The loss against the epoch, with the minimum, the run's own loss, and the validation loss.

const ABOVE = 1e15; // a loss that grows is cut off at this many times the first one
const BELOW = 1e-14; // and one that falls at this part of it

class LossView {
  constructor(figure, app) {
    this.figure = figure;
    this.title = run.loss_name;
    figure.heading("The loss, epoch by epoch");
    this.chart = new Chart(figure.plot, "The loss against the epoch");
    this.least = shape("path", { class: "least" });
    this.ghost = shape("path", { class: "ghost" });
    this.ahead = shape("path", { class: "loss ahead" });
    this.curve = shape("path", { class: "loss" });
    this.validation = shape("path", { class: "validation-loss" });
    this.now = shape("path", { class: "now" });
    this.point = shape("circle", { class: "loss-point" });
    const { plot, over, svg } = this.chart;
    plot.append(this.least, this.now, this.ghost, this.ahead, this.validation, this.curve);
    over.append(this.point);
    scrubs(this.chart, app);
    set(svg, { class: "scrubs" });
  }

  draw({ settings, descent, epoch, epochs, step, began, axis, ghost }) {
    const { chart } = this;
    const steps = descent.steps.slice(1).filter((kept) => kept.epoch <= epochs);
    const losses = steps.map(({ loss }) => loss);
    const minimum = run.scales[settings.scale].minimum_loss;
    const held = run.validation ? this.held(steps, settings, descent) : [];
    const others = ghost?.kind === "rival" ? ghost.points.map(([, loss]) => loss) : [];
    const y = this.height(losses, minimum, [...held.map(([, loss]) => loss), ...others]);
    chart.layoutFor(y);
    chart.axes(axis, y);
    const at = (place, loss) => [chart.x(place), chart.y(loss)];
    const curve = (points) => through(points.map(([place, loss]) => at(place, loss)));
    const { loss } = epoch > descent.first ? step : began;
    // The start stands before the first row, with its loss.
    const points = [[descent.first, began.loss], ...steps.map((kept) => [kept.epoch, kept.loss])];
    const past = [...points.filter(([place]) => place <= epoch), [epoch, loss]];
    set(this.ahead, { d: curve(points) });
    set(this.curve, { d: curve(past) });
    const ghostly = ghost?.points.map(([place, loss]) => [place, loss ?? NaN]) ?? [];
    set(this.ghost, { d: curve(ghostly), class: ghost?.kind ?? "ghost" });
    set(this.validation, { d: curve(held.filter(([place]) => place <= epoch)) });
    const isShown = minimum > y.low;
    set(this.least, { d: isShown ? through([at(axis.low, minimum), at(axis.high, minimum)]) : "" });
    const [x, height] = at(epoch, loss);
    set(this.now, { d: `M${tidy(x)} ${tidy(chart.top)}V${tidy(chart.top + chart.height)}` });
    const isSeen = height >= chart.top && height <= chart.top + chart.height + 1;
    set(this.point, {
      cx: x,
      cy: height,
      r: 0.42 * chart.unit,
      visibility: isSeen ? null : "hidden",
    });
    this.tell({ losses, minimum, isShown, steps, y, epochs, ghost });
  }

  tell({ losses, minimum, isShown, steps, y, ghost }) {
    const cut = steps.find(({ loss }) => !(loss <= y.high));
    this.figure.note(
      ["loss", "loss"],
      ...(run.validation ? [["validation-loss", "validation"]] : []),
      ...(isShown ? [["least", `minimum ${short(minimum)}`]] : []),
      ...(ghost ? [[ghost.kind, ghost.name]] : []),
      ...(cut
        ? [["", `cut off at epoch ${counted(cut.epoch)}; ${short(losses.at(-1), 3)} in the end`]]
        : []),
    );
  }

  /**
   * The axis of the loss, and of the validation loss: logarithmic where it helps, from the minimum to
   * the first, or beyond.
   */
  height(losses, minimum = 0, held = []) {
    const first = losses[0];
    const isDrawn = (loss) => Number.isFinite(loss) && loss <= ABOVE * first;
    const finite = [...losses, ...held].filter(isDrawn);
    const floor = minimum < 0 || (minimum > BELOW * first && first > 0) ? [minimum] : [];
    const [low, high] = extent([...finite, ...floor]);
    const positive = [...finite, ...floor].filter((loss) => loss > 0);
    const least = Math.max(Math.min(...positive), BELOW * first);
    if (low >= 0 && high > 20 * low && high > least) {
      const room = (high / least) ** 0.05;
      return logAxis(least / room, high * room, this.title);
    }
    return linearAxis(...widened(low, high, 0.06), this.title);
  }

  /** The validation loss, at the same params as the loss: found once for each step. */
  held(steps, { scale }, descent) {
    if (this.descent !== descent) [this.descent, this.found] = [descent, new Map()];
    const places = steps.map(({ epoch, began }) => {
      if (!this.found.has(epoch)) this.found.set(epoch, validationLoss(began, scale));
      return [epoch, this.found.get(epoch)];
    });
    return places.length ? [[descent.first, places[0][1]], ...places] : [];
  }
}

/** Lets the pointer move through the epochs along a chart. */
function scrubs(chart, app) {
  const move = (event) =>
    app.show(Math.round(app.axis.back(Math.min(Math.max(chart.partsOf(event)[0], 0), 1))));
  chart.svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    chart.svg.setPointerCapture(event.pointerId);
    app.pause();
    move(event);
  });
  chart.svg.addEventListener("pointermove", (event) => {
    if (chart.svg.hasPointerCapture(event.pointerId)) move(event);
  });
}
