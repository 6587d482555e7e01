// Observations that are moved, added and removed: one feature, by pointer and by keyboard. The loss is
// that of the new observations at once.

const NEAR_DOT = { mouse: 14, touch: 24 }; // pixels from a dot, and it is meant
const TWICE = 350; // milliseconds between two taps on a dot, which remove it
const FEWEST_LEFT = 2; // observations
const KEY_STEP = 0.02; // of an axis
const STEP_OF = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Whether the page has all observations of one feature, and knows the loss of others. */
function canObserve() {
  const {
    features,
    intercept,
    weighted,
    validation,
    plane,
    went_on: model,
    rows,
    observations,
  } = run;
  const isWhole = rows.kind !== "sample" && sample.length === observations;
  return (
    features.length === 1 && intercept && isWhole && !(weighted || validation || plane || model)
  );
}

/** The run with other observations, [x, y], on the scales that are made of them. */
function observed(points) {
  const { settings, scales: before } = run;
  const [x, y] = [0, 1].map((place) => Float64Array.from(points, (point) => point[place]));
  const condensed = condensedFrom([x], y);
  const starts = (scale) => [
    ...onScale(inData(before[settings.scale].start, before[settings.scale]), scale),
  ];
  const common = { ...run, observations: points.length, rounding: EXACT * condensed.square };
  if (run.rows.kind === "condensed") {
    const whole = { ...run.rows, total: points.length, values: condensed.rows };
    return {
      ...common,
      sample: points,
      rows: whole,
      scales: scalesFrom(condensed, starts, settings),
    };
  }
  const rows = points.map(([first, last]) => [first, 1, last]);
  const whole = { ...run.rows, total: points.length, values: rows };
  if (settings.loss === "mse") {
    const scales = scalesFrom(condensed, starts, settings);
    for (const scale of Object.values(scales)) scale.rows = null; // mini-batches are of the rows
    return { ...common, rows: whole, scales };
  }
  const scales = Object.fromEntries(
    Object.entries(condensed.scales).map(([name, scale]) => {
      const own = { ...scale, rows: null, start: starts(scale) };
      const shape =
        settings.loss === "logistic" && bendsOfClasses(scaledRows({ values: rows }, own), settings);
      return [name, { ...own, ...shape }];
    }),
  );
  const ended = { ...run.ended, separable: settings.loss === "logistic" && !scales.none.minimum };
  return { ...common, rows: whole, scales, ended };
}

/** The bends of the logistic loss at its minimum, by Newton's method; nothing where there is none. */
function bendsOfClasses({ design, target, size }, { l2 }) {
  const total = target.length;
  const { mean } = LOSS;
  const objective = new Objective({ design, target, size, weights: null }, total, {
    ...run.settings,
    l1: 0,
  });
  let params = new Float64Array(size);
  for (let turn = 0; turn < 60; turn += 1) {
    const rows = Array.from(target, (y, row) => {
      const along = design.subarray(row * size, (row + 1) * size);
      const middle = mean(dot(along, params));
      const root = Math.sqrt((middle * (1 - middle)) / 2);
      const left = root ? (y - middle) / (2 * root) + root * dot(along, params) : 0;
      return [...[...along].map((value) => root * value), left];
    });
    const shape = bendsOn(rows, total, l2);
    const step = shape.minimum.map((value, place) => value - params[place]);
    params = Float64Array.from(shape.minimum);
    if (!params.every(Number.isFinite) || Math.hypot(...params) > 1e4) return {};
    if (Math.hypot(...step) > 1e-12 * Math.hypot(...params)) continue;
    const [bound] = principalAxes(
      [0, 1].map((column) => Float64Array.from(target, (_, row) => design[row * size + column])),
    );
    const largest = bound.value ** 2 / (4 * total) + 2 * l2;
    return { ...shape, minimum_loss: objective.at(params), is_parabola: false, bound: largest };
  }
  return {};
}

/** The observations on the chart of the fit, each of which can be taken hold of. */
class Observing {
  constructor(view, app) {
    Object.assign(this, { view, app, place: 0, isMoving: false });
    this.handle = shape(
      "g",
      {
        class: "hold dot",
        tabindex: 0,
        role: "button",
        "aria-roledescription": "movable observation",
      },
      shape("circle", { class: "grip" }),
    );
    view.chart.over.append(this.handle);
    const { svg } = view.chart;
    svg.addEventListener("pointerdown", (event) => this.take(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => this.drop());
    svg.addEventListener("dblclick", (event) => this.turn(event));
    // A finger on a dot moves the dot, and not the page.
    const hold = (event) =>
      event.touches.length === 1 &&
      this.nearest(event.touches[0], "touch") >= 0 &&
      event.preventDefault();
    svg.addEventListener("touchstart", hold, { passive: false });
    this.handle.addEventListener("keydown", (event) => this.onKey(event));
    set(svg, { class: "observing" });
  }

  get notes() {
    return [["", "drag a dot; double-click adds one, or removes it"]];
  }

  /** Where the pointer is, in the data's units. */
  under(event) {
    const [right, up] = this.view.chart.partsOf(event);
    return [this.view.x.back(right), this.put(this.view.y.back(up))];
  }

  /** A y that an observation may have. */
  put(y) {
    return run.classes ? Number(y > 0.5) : y;
  }

  /** The observation under the pointer, by its place; or none. */
  nearest(event, kind = event.pointerType) {
    const { chart } = this.view;
    const box = chart.svg.getBoundingClientRect();
    let [found, least] = [-1, NEAR_DOT[kind] ?? NEAR_DOT.mouse];
    sample.forEach(([x, y], place) => {
      const away = Math.hypot(
        chart.x(x) - event.clientX + box.left,
        chart.y(spreadOut(y, place)) - event.clientY + box.top,
      );
      if (away < least) [found, least] = [place, away];
    });
    return found;
  }

  take(event) {
    if (event.button !== 0 || event.target.closest(".line-grip")) return;
    const place = this.nearest(event);
    if (place < 0) return;
    const isTwice =
      event.pointerType === "touch" && place === this.place && event.timeStamp - this.taken < TWICE;
    this.taken = event.timeStamp;
    if (isTwice) {
      this.remove(place);
      return;
    }
    this.place = place;
    this.isMoving = true;
    this.before = sample;
    this.view.chart.svg.setPointerCapture(event.pointerId);
    event.preventDefault();
    this.app.pause();
  }

  move(event) {
    if (!this.isMoving) {
      set(this.view.chart.svg, { class: this.nearest(event) < 0 ? "observing" : "observing over" });
      return;
    }
    const [x, y] = this.under(event);
    const { xs, ys } = this.view;
    const within = (value, [low, high]) => Math.min(Math.max(value, low), high);
    this.change(sample.with(this.place, [within(x, xs), run.classes ? y : within(y, ys)]));
  }

  drop() {
    if (!this.isMoving) return;
    this.isMoving = false;
    if (sample === this.before) return;
    this.view.observe();
    this.view.isHeld = false;
    this.app.draw();
  }

  /** Add an observation, or remove the one that is there. */
  turn(event) {
    if (event.target.closest(".line-grip")) return;
    const place = this.nearest(event);
    if (place >= 0) this.remove(place);
    else this.add(this.under(event));
  }

  add(point) {
    this.place = sample.length;
    this.change([...sample, point]);
  }

  remove(place) {
    if (sample.length <= FEWEST_LEFT) return;
    this.change(sample.toSpliced(place, 1));
    this.place = Math.max(Math.min(place, sample.length - 1), 0);
  }

  change(points) {
    const isSame = points.every(([x]) => x === points[0][0]);
    if (!isSame) this.app.observe(observed(points));
  }

  onKey(event) {
    const { view, app } = this;
    const step = STEP_OF[event.key];
    const [x, y] = sample[this.place];
    if (step) {
      const size = KEY_STEP / (event.shiftKey ? 5 : 1);
      const up = run.classes ? step[1] : size * step[1] * (view.ys[1] - view.ys[0]);
      const moved = [
        x + size * step[0] * (view.xs[1] - view.xs[0]),
        run.classes ? this.put(y + up) : y + up,
      ];
      this.change(sample.with(this.place, moved));
    } else if (event.key === "PageDown" || event.key === "PageUp") {
      const order = [...sample.keys()].sort((one, other) => sample[one][0] - sample[other][0]);
      const at = order.indexOf(this.place) + (event.key === "PageDown" ? 1 : -1);
      this.place = order.at(at % order.length);
    } else if (event.key === "Delete" || event.key === "Backspace") this.remove(this.place);
    else if (event.key === "Enter" || event.key === "Insert")
      this.add([x + KEY_STEP * (view.xs[1] - view.xs[0]), y]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    app.draw();
  }

  draw() {
    const { chart } = this.view;
    this.place = Math.min(this.place, sample.length - 1);
    const [x, y] = sample[this.place];
    set(this.handle, {
      transform: `translate(${tidy(chart.x(x))} ${tidy(chart.y(spreadOut(y, this.place)))})`,
      "aria-label": `observation ${this.place + 1} of ${sample.length} at ${numberOrDate(x)}, ${short(y, 3)}; the arrow keys move it, Page Down takes the next, Enter adds one, Delete removes it`,
    });
    set(this.handle.firstElementChild, { r: 0.7 * chart.unit });
  }
}
