// The loss over (w, b): its minimum, and its level sets.
//
// Each of the losses is convex, so that inside a level set the loss grows along every ray from the
// minimum: a level set is the curve of the points on all rays where the loss is as large as that.

const RAYS = 120;
const FLAT = 1e-13; // a direction with less than this part of the largest bend is flat
const FEWER = 400; // rows are enough to draw the level sets of other losses than the squared one

class Surface {
  constructor(scale) {
    const whole = objectiveOn(scale);
    this.squared = Boolean(run.scales[scale].is_parabola) && !run.settings.l1;
    this.objective = whole;
    if (!this.squared && whole.target.length > FEWER) this.objective = thinner(whole, FEWER);
    this.axes = bendsOf(this.objective);
    const { minimum } = run.scales[scale];
    const { separable, w, b } = run.ended; // where the loss falls for ever, the end stands for it
    this.minimum = minimum ?? (separable ? onScale([...w, b], run.scales[scale]) : this.lowest());
    this.least = this.at(this.minimum);
  }

  at(params) {
    return this.objective.at(params);
  }

  /** The minimum, where it is not known: first along one axis, for each along the other. */
  lowest() {
    const point = (u, v) => this.away(this.axes.middle, u, v);
    const reach = 4 * Math.sqrt(this.axes.spread) || 1;
    if (this.axes.isFlat) return point(least((u) => this.at(point(u, 0)), reach)[0], 0);
    const along = (u) => least((v) => this.at(point(u, v)), reach);
    const [u] = least((value) => along(value)[1], reach);
    return point(u, along(u)[0]);
  }

  /** The point u, v units of the axes away from `origin`. */
  away([w, b], u, v) {
    const [[a, c], [d, e]] = this.axes.units;
    return [w + u * a + v * d, b + u * c + v * e];
  }

  /** The points whose loss is `above` the least. */
  levelSet(above) {
    return Array.from({ length: RAYS }, (_, place) => {
      const turn = (2 * Math.PI * place) / RAYS;
      const length = this.reach(Math.cos(turn), Math.sin(turn), above);
      return this.away(this.minimum, length * Math.cos(turn), length * Math.sin(turn));
    });
  }

  /** How far along a ray the loss is `above` the least. */
  reach(u, v, above) {
    const radius = Math.sqrt(2 * above);
    if (this.squared) return radius;
    const isInside = (length) =>
      this.at(this.away(this.minimum, length * u, length * v)) - this.least < above;
    let [low, high] = [0, radius || 1];
    while (isInside(high) && high < 1e6 * radius) [low, high] = [high, 2 * high];
    for (let halving = 0; halving < 24; halving += 1) {
      const middle = (low + high) / 2;
      if (isInside(middle)) low = middle;
      else high = middle;
    }
    return high;
  }
}

/** An objective on evenly spaced rows of another one. */
function thinner({ design, target, size, weights, total }, most) {
  const rows = Array.from({ length: most }, (_, place) =>
    Math.floor((place * target.length) / most),
  );
  const parts = {
    size,
    design: Float64Array.from(
      rows.flatMap((row) => [...design.subarray(row * size, (row + 1) * size)]),
    ),
    target: Float64Array.from(rows, (row) => target[row]),
    weights: weights && rows.map((row) => weights[row]),
  };
  return new Objective(parts, (total * most) / target.length, run.settings);
}

/**
 * The axes of the squared loss: `units` along its eigenvectors, in which it is round, ½u² + ½v²
 * above its minimum, the `middle`; `spread` is the loss there, `isFlat` whether there are many.
 */
function bendsOf({ design, target, weights, total, l2 }) {
  const rows = Array.from(target, (y, row) => [design[2 * row], design[2 * row + 1], y]);
  const part = (place) => (2 * (weights ? weights[place] : 1)) / total;
  const mean = (product) => rows.reduce((sum, row, place) => sum + part(place) * product(row), 0);
  const [ab, bb] = [mean(([x, one]) => x * one), mean(([, one]) => one * one)];
  const middle = bb ? ab / bb : 0; // without an intercept the ones are 0
  const varied = 2 * l2 + mean(([x, one]) => (x - middle * one) ** 2); // where x ≫ its deviation
  const aa = varied + ab * middle;
  const large = (aa + bb) / 2 + Math.hypot((aa - bb) / 2, ab);
  const small = Math.max((varied * bb) / large, FLAT * large);
  const turn = Math.atan2(2 * ab, aa - bb) / 2;
  const units = [
    [Math.cos(turn) / Math.sqrt(large), Math.sin(turn) / Math.sqrt(large)],
    [-Math.sin(turn) / Math.sqrt(small), Math.cos(turn) / Math.sqrt(small)],
  ];
  const [ay, by] = [mean(([x, , y]) => x * y), mean(([, one, y]) => one * y)];
  const parts = units.map(([w, b]) => w * ay + b * by);
  const solution = [0, 1].map((place) => parts[0] * units[0][place] + parts[1] * units[1][place]);
  const spread = mean(([x, one, y]) => (solution[0] * x + solution[1] * one - y) ** 2) / 2;
  return { units, middle: solution, spread, isFlat: small === FLAT * large };
}

/** Where a convex function between −reach and reach is least, and how large it is there. */
function least(height, reach) {
  let [low, high] = [-reach, reach];
  for (let cut = 0; cut < 60; cut += 1) {
    const [first, second] = [low + (high - low) / 3, high - (high - low) / 3];
    if (height(first) < height(second)) high = second;
    else low = first;
  }
  return [(low + high) / 2, height((low + high) / 2)];
}
