// The observations: with one feature and the line, with several predicted against observed.

const FEW = 120; // observations are drawn large, and with their residuals
const FIRST_LINES = 5; // of the start and the first epochs, are in the picture,
const ROOM = 4; // unless it became so many times as high as the observations,
const START_ROOM = 12; // or for the start so many times
const CURVE_POINTS = 200; // of a line that a link bends

/** A path of observations, as large as their number allows. */
function cloudOf(name, count) {
  const size = count <= FEW ? "" : " many";
  return shape("path", { class: `${name}${size}` });
}

/**
 * One feature, or the one number that all features are made of (`run.plane`): observations, and the
 * line or the curve through them.
 */
class FitView {
  constructor(figure, app) {
    const { plane } = run;
    const isCurve = plane || LOSS.symbol;
    const title = `The observations and the ${isCurve ? "curve" : "line"}`;
    this.figure = figure;
    this.figure.heading(title);
    this.chart = new Chart(figure.plot, title);
    this.seen = plane?.sample ?? sample;
    this.held = (plane ? plane.validation : run.validation?.sample) ?? [];
    this.residuals = shape("path", { class: "residuals" });
    this.start = shape("path", { class: "start-line" });
    this.rival = shape("path", { class: "rival" });
    this.line = shape("path", { class: "line" });
    this.drop = shape("path", { class: "drop" });
    this.chart.plot.append(this.residuals);
    this.clouds = new Clouds(this.chart.plot, this.seen, this.held);
    this.chart.plot.append(this.drop, this.start, this.rival, this.line);
    this.half = shape("path", { class: "half" });
    this.chart.plot.append(this.half);
    this.span(plane, isCurve);
    if (canObserve()) this.observing = new Observing(this, app);
    if (canObserve() && !run.classes) this.grips = new LineGrips(this, app);
  }

  /** The axis of x, and where y is observed. */
  span(plane, isCurve) {
    const seen = [...this.seen, ...this.held];
    this.xs = widened(...extent(seen.map(([x]) => x)), 0.05);
    this.observed = widened(...extent(seen.map(([, y], place) => spreadOut(y, place))), 0.12);
    // Where the line, or the curve, is drawn: x, and the features there with a place for y.
    this.along = plane?.x ?? (isCurve ? evenly(...this.xs, CURVE_POINTS) : this.xs);
    this.features = (plane?.features ?? this.along.map((x) => [x])).map((row) => [...row, 0]);
    const axis = run.dates ? dateAxis : linearAxis;
    this.x = axis(...this.xs, named(plane?.name ?? run.features[0]));
  }

  /** Other observations: the axes hold them, but stay while one is moved. */
  observe() {
    this.seen = sample;
    this.clouds.take(this.seen);
    this.areNew = true;
    if (!this.observing?.isMoving) this.span(null, LOSS.symbol);
  }

  draw({ params, start, epoch, descent, settings, rival }) {
    const { chart } = this;
    const isStill = !(this.observing?.isMoving || this.grips?.isMoving);
    if ((isStill && this.descent !== descent) || !this.y || (isStill && !this.isHeld))
      this.hold(descent, run.scales[settings.scale]);
    chart.layoutFor(this.y);
    const isNew = chart.axes(this.x, this.y);
    const at = ([x, y]) => [chart.x(x), chart.y(y)];
    if (isNew || this.areNew) this.clouds.draw(([x, y], place) => at([x, spreadOut(y, place)]));
    this.areNew = false;
    this.observing?.draw();
    this.grips?.draw(params, epoch === descent.first);
    const [w, b] = params;
    const heights = predictions(this.features, params);
    const drawn = (ys) => through(ys.map((y, place) => at([this.along[place], y])));
    set(this.line, { d: drawn(heights) });
    set(this.rival, { d: rival ? drawn(predictions(this.features, rival)) : "" });
    set(this.start, {
      d: epoch > descent.first ? drawn(predictions(this.features, start)) : "",
    });
    const whereabouts = this.whereabouts(heights);
    const residuals =
      sample.length <= FEW && !whereabouts.length && !run.plane && !run.classes
        ? sample.map(
            ([x, y]) =>
              `M${tidy(chart.x(x))} ${tidy(chart.y(y))}V${tidy(chart.y(LOSS.mean(w * x + b)))}`,
          )
        : [];
    set(this.residuals, { d: residuals.join("") });
    const halves = run.classes ? crossings(this.along, predictors(this.features, params)) : [];
    set(this.half, { d: dots(halves.map((x) => at([x, 0.5]))) });
    set(this.drop, {
      d: halves.map((x) => through([at([x, 0.5]), at([x, this.ys[0]])])).join(""),
    });
    const name = run.plane ? "the fit" : equation(w, b);
    const crossed = halves.length ? [["half", `½ at ${halves.map(numberOrDate).join(", ")}`]] : [];
    const keys = keysOf(this.clouds.groups);
    this.figure.note(
      ["line", name],
      ...crossed,
      ...whereabouts,
      ...keys,
      ...drawnOf(this.seen),
      ...(this.observing?.notes ?? []),
    );
  }

  /** Make the axis of y hold the observations, and the lines of the first epochs if it can. */
  hold(descent, scale) {
    this.descent = descent;
    this.isHeld = descent.kept.length > FIRST_LINES || descent.status;
    let [low, high] = this.observed;
    const size = high - low;
    descent.kept.slice(0, FIRST_LINES + 1).forEach(({ params }, place) => {
      const heights = predictions(this.features, inData(params, scale));
      if (!heights.every(Number.isFinite)) return;
      const lower = Math.min(low, ...heights);
      const higher = Math.max(high, ...heights);
      if (higher - lower <= (place ? ROOM : START_ROOM) * size) [low, high] = [lower, higher];
    });
    this.ys = [low, high];
    this.y = linearAxis(
      ...(low === this.observed[0] && high === this.observed[1]
        ? this.ys
        : widened(low, high, 0.03)),
      named(run.answer),
    );
  }

  /** Where the line is, if it can't be seen. */
  whereabouts(heights) {
    if (!heights.every(Number.isFinite)) return [["", "the line is nowhere any more"]];
    const [low, high] = this.ys;
    if (Math.min(...heights) > high) return [["", "the line is above the picture ↑"]];
    if (Math.max(...heights) < low) return [["", "the line is below the picture ↓"]];
    return [];
  }
}

/** Predicted against observed, with the diagonal on which they are the same. */
class PredictionView {
  constructor(figure) {
    const title = "Predicted against observed";
    this.figure = figure;
    figure.heading(title);
    this.chart = new Chart(figure.plot, title);
    this.held = run.validation?.sample ?? [];
    this.diagonal = shape("path", { class: "diagonal" });
    this.cloud = cloudOf("observed", sample.length);
    this.validation = cloudOf("validation", this.held.length);
    this.chart.plot.append(this.diagonal, this.cloud, this.validation);
    this.ys = widened(...extent([...sample, ...this.held].map((row) => row.at(-1))), 0.06);
    this.x = linearAxis(...this.ys, `observed ${named(run.target)}`);
  }

  draw({ params, start, descent }) {
    const { chart, ys } = this;
    const predicted = predictions(sample, params);
    const first = predictions(sample, start);
    const size = ys[1] - ys[0];
    // The start is in the picture if it is near enough, and what leaves it is followed for a while.
    const [seen, times] = descent.status ? [predicted, 50] : [first, 2];
    const near = seen.filter(
      (value) => value > ys[0] - times * size && value < ys[1] + times * size,
    );
    const [low, high] = widened(...extent([...ys, ...near]), 0.02);
    const y = linearAxis(low, high, `predicted ${named(run.target)}`);
    chart.layoutFor(y);
    chart.axes(this.x, y);
    const at = (rows, heights) =>
      rows.map((row, place) => [chart.x(row.at(-1)), chart.y(heights[place])]);
    set(this.cloud, { d: dots(at(sample, predicted)) });
    set(this.validation, { d: dots(at(this.held, predictions(this.held, params))) });
    set(this.diagonal, { d: through(ys.map((value) => [chart.x(value), chart.y(value)])) });
    const out = predicted.filter((value) => !(value >= low && value <= high)).length;
    const whereabouts = out
      ? [["", `${counted(out)} of ${counted(sample.length)} are out of the picture`]]
      : [];
    this.figure.note(
      ["diagonal", "on the line, predicted = observed"],
      ...whereabouts,
      ...drawnOf(sample),
    );
  }
}

/** ŷ of rows [x₁…x_p, y]. */
function predictions(rows, params) {
  return predictors(rows, params).map(LOSS.mean);
}

/** A number along the axis, which may be of dates. */
function numberOrDate(x) {
  if (!run.dates) return short(x);
  const [low, high] = extent((run.plane?.sample ?? sample).map(([day]) => day));
  const [to, day] = high - low > 14 ? [10, Math.round(x)] : [16, x];
  return new Date(day * 864e5).toISOString().slice(0, to).replace("T", " ");
}

/** z of rows [x₁…x_p, y]. */
function predictors(rows, params) {
  const p = params.length - 1;
  return rows.map((row) => {
    let sum = params[p];
    for (let column = 0; column < p; column += 1) sum += params[column] * row[column];
    return sum;
  });
}

/** `count` numbers from `low` to `high`. */
function evenly(low, high, count) {
  return Array.from({ length: count }, (_, place) => low + ((high - low) * place) / (count - 1));
}

/** The least and the largest of the finite values. */
function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

/** y = 0.302·x + 0.233. */
function equation(w, b) {
  const feature = named(run.features[0]);
  const added = run.intercept ? ` ${b < 0 ? MINUS : "+"} ${short(Math.abs(b))}` : "";
  return `${named(run.answer)} = ${linked(`${short(w)} · ${feature}${added}`)}`;
}

/** How many of the observations are drawn, where that is not all. */
function drawnOf(seen) {
  const notes = [];
  if (seen.length < run.observations) {
    notes.push(["", `${counted(seen.length)} of ${counted(run.observations)} drawn`]);
  }
  if (run.validation && !run.classes) notes.push(["validation", "validation"]);
  return notes;
}
