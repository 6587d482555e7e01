// Two classes: the dots of each, and for several features the line between them, or the
// probabilities of each.

const GOLDEN = 0.6180339887; // the multiples of it fill an interval evenly
const SPREAD = [0.02, 0.13]; // how far dots of two classes are from y = 0 and 1, beyond which they lie
const BINS = 24; // of probabilities

/** Observations to draw, rows that end with y: those that are drawn alike, and what they are. */
function groupsOf(seen, held) {
  const [negative, positive] = run.classes ?? [];
  const kinds = run.classes
    ? [
        ["classed", positive, (y) => y > 0.5],
        ["classed negative", negative, (y) => y <= 0.5],
      ]
    : [["", "", () => true]];
  return [
    [seen, "observed", ""],
    [held, "validation", "validation: "],
  ].flatMap(([rows, part, before]) =>
    kinds.map(([kind, name, isIn]) => ({
      rows: rows.filter((row) => isIn(row.at(-1))),
      kind: `${part} ${kind}`.trim(),
      name: `${before}${named(run.target, 16)} = ${named(name, 16)}`,
    })),
  );
}

/** What the legend says of them, where they are of two classes. */
function keysOf(groups) {
  return groups
    .filter(({ rows }) => run.classes && rows.length)
    .map(({ kind, name }) => [kind, name]);
}

/** Groups of observations as dots. */
class Clouds {
  constructor(plot, seen, held) {
    this.held = held;
    this.take(seen);
    this.paths = this.groups.map(({ kind, rows }) =>
      cloudOf(kind, kind.startsWith("observed") ? seen.length : rows.length),
    );
    plot.append(...this.paths);
  }

  /** Take other observations. */
  take(seen) {
    this.groups = groupsOf(seen, this.held);
  }

  /** Draw them, each row where `at` says. */
  draw(at) {
    this.groups.forEach(({ rows }, place) => set(this.paths[place], { d: dots(rows.map(at)) }));
  }
}

/** Where y is drawn: of two classes spread out beyond 0 and 1, to show how many there are. */
function spreadOut(y, place) {
  if (!run.classes) return y;
  const out = SPREAD[0] + (SPREAD[1] - SPREAD[0]) * ((GOLDEN * place) % 1);
  return y > 0.5 ? 1 + out : -out;
}

/** Where a curve through points [x, z] crosses z = 0, at which the probability is ½. */
function crossings(xs, zs) {
  return xs.slice(1).flatMap((x, place) => {
    const [before, after] = [zs[place], zs[place + 1]];
    if (before < 0 === after < 0) return [];
    return [xs[place] + (before / (before - after)) * (x - xs[place])];
  });
}

/** Two features: both classes over them, and the line on which each has the probability ½. */
class BorderView {
  constructor(figure) {
    const title = "The classes and the line between them";
    this.figure = figure;
    figure.heading(title);
    this.chart = new Chart(figure.plot, title);
    this.held = run.validation?.sample ?? [];
    this.clouds = new Clouds(this.chart.plot, sample, this.held);
    this.start = shape("path", { class: "start-line" });
    this.line = shape("path", { class: "line" });
    this.chart.plot.append(this.start, this.line);
    [this.x, this.y] = [0, 1].map((column) => {
      const [low, high] = extent([...sample, ...this.held].map((row) => row[column]));
      return linearAxis(...widened(low, high, 0.05), named(run.features[column]));
    });
  }

  draw({ params, start, epoch, descent }) {
    const { chart, x, y, clouds } = this;
    chart.layoutFor(y);
    if (chart.axes(x, y)) clouds.draw(([first, second]) => [chart.x(first), chart.y(second)]);
    const line = this.border(params);
    set(this.line, { d: this.drawn(line) });
    set(this.start, { d: epoch > descent.first ? this.drawn(this.border(start)) : "" });
    const isSeen = line.some(([first, second]) => this.isWithin(first, second));
    this.figure.note(
      ["line", `${named(run.answer)} = ½`],
      ...(isSeen ? [] : [["", "the line is out of the picture"]]),
      ...keysOf(clouds.groups),
      ...drawnOf(sample),
    );
  }

  drawn(points) {
    return through(points.map(([first, second]) => [this.chart.x(first), this.chart.y(second)]));
  }

  isWithin(first, second) {
    const { x, y } = this;
    return first >= x.low && first <= x.high && second >= y.low && second <= y.high;
  }

  /** Points of w₁x₁ + w₂x₂ + b = 0, across the picture along the axis that it is less steep on. */
  border([w1, w2, b]) {
    const { x, y } = this;
    const isSteep = Math.abs(w1) * (x.high - x.low) > Math.abs(w2) * (y.high - y.low);
    const along = isSteep ? y : x;
    return evenly(along.low, along.high, CURVE_POINTS).map((at) =>
      isSteep ? [-(w2 * at + b) / w1, at] : [at, -(w1 * at + b) / w2],
    );
  }
}

/** Several features: which part of each class has which predicted probability. */
class ProbabilityView {
  constructor(figure) {
    const title = "The predicted probabilities of each class";
    this.figure = figure;
    figure.heading(title);
    this.chart = new Chart(figure.plot, title);
    this.half = shape("path", { class: "least" });
    this.groups = groupsOf(sample, run.validation?.sample ?? []);
    this.paths = this.groups.map(({ kind }) => shape("path", { class: `bars ${kind}` }));
    this.chart.plot.append(...this.paths, this.half);
    this.x = linearAxis(0, 1, named(run.answer));
  }

  draw({ params }) {
    const { chart, x } = this;
    const parts = this.groups.map(({ rows }) => {
      const counts = new Array(BINS).fill(0);
      for (const value of predictions(rows, params))
        if (Number.isFinite(value)) counts[Math.min(Math.floor(value * BINS), BINS - 1)] += 1;
      return counts.map((count) => count / Math.max(rows.length, 1));
    });
    const y = linearAxis(0, Math.max(1.08 * Math.max(...parts.flat()), 1e-9), "part of each class");
    chart.layoutFor(y);
    chart.axes(x, y);
    this.paths.forEach((path, place) => {
      const corners = parts[place].flatMap((height, bin) =>
        [bin, bin + 1].map((edge) => [chart.x(edge / BINS), chart.y(height)]),
      );
      set(path, { d: through([[chart.x(0), chart.y(0)], ...corners, [chart.x(1), chart.y(0)]]) });
    });
    const [low, high] = [y.low, y.high].map((value) => [chart.x(0.5), chart.y(value)]);
    set(this.half, { d: through([low, high]) });
    this.figure.note(...keysOf(this.groups), ...drawnOf(sample));
  }
}
