// Each param against the epoch, its name beside the end of its line: for several features.

const NAMED = 14; // lines can be told apart; of more, those that count most are
const STYLES = ["", "dashed", "dotted"];
const APART_UNITS = 50; // times the least param, and the largest asks for a logarithmic axis
const LEAST_UNIT = 1e-6; // of the largest param: what is less is near 0

class ParamsView {
  constructor(figure, app) {
    this.figure = figure;
    this.title = "The params, epoch by epoch";
    this.chart = new Chart(figure.plot, "Each param against the epoch");
    const names = paramNames(run);
    this.many = names.length > NAMED;
    this.lines = names.map((name, place) => shape("path", { class: this.style(place) }));
    this.now = shape("path", { class: "now" });
    this.labels = shape("g", { class: "labels" });
    this.names = names.map((name) => named(name, 34));
    this.chart.plot.append(this.now, ...this.lines);
    this.chart.over.append(this.labels);
    scrubs(this.chart, app);
    set(this.chart.svg, { class: "scrubs" });
  }

  style(place) {
    return `param colour-${place % 7} ${STYLES[Math.floor(place / 7) % 3]}`;
  }

  draw(scene) {
    const { chart } = this;
    const { clientWidth: width, clientHeight: height } = chart.holder;
    const key = `${scene.descent.last.epoch} ${scene.axis.high} ${width} ${height}`;
    if (this.descent !== scene.descent || this.key !== key) this.drawLines(scene);
    [this.descent, this.key] = [scene.descent, key];
    const x = tidy(chart.x(scene.epoch));
    set(this.now, { d: `M${x} ${tidy(chart.top)}V${tidy(chart.top + chart.height)}` });
  }

  drawLines({ settings, descent, axis }) {
    const { chart } = this;
    const own = run.scales[settings.scale];
    const kept = descent.steps
      .filter(({ epoch }) => epoch <= axis.high)
      .map(({ epoch, params }) => ({ epoch, params: inData(params, own) }));
    const first = kept[1] ?? kept[0];
    // Those of a diverging descent are followed until they dwarf the first steps.
    const size = Math.max(...first.params.map(Math.abs), ...kept[0].params.map(Math.abs));
    const seen = kept.filter(({ params }) =>
      params.every((param) => Math.abs(param) <= 1e3 * (size || 1)),
    );
    const steps = descent.status && seen.length > 1 ? seen : kept;
    const [low, high] = descent.status
      ? extent(steps.flatMap(({ params }) => [...params]))
      : extent(kept.flatMap(({ params }) => [...params]));
    const shown = this.shown(steps.at(-1).params);
    const y = this.height(low, high, shown.map((place) => steps.at(-1).params[place]));
    chart.layoutFor(y);
    const longest = Math.max(...shown.map((place) => this.names[place].length));
    chart.width = Math.max(chart.width - (0.6 * longest + 0.8) * chart.unit, 0.35 * chart.width);
    set(chart.window, { width: chart.width });
    set(chart.back, { width: chart.width });
    chart.axes(axis, y);
    this.lines.forEach((line, place) => {
      set(line, {
        d: through(steps.map((step) => [chart.x(step.epoch), chart.y(step.params[place])])),
        class: shown.includes(place) ? this.style(shown.indexOf(place)) : "param faint",
      });
    });
    this.label(shown, steps.at(-1), axis);
    const rest = this.names.length - shown.length;
    this.figure.note(
      ...(rest
        ? [["", `the ${shown.length} that count most are named, ${counted(rest)} others faint`]]
        : []),
      ...(steps.length < kept.length
        ? [["", `until epoch ${counted(steps.at(-1).epoch)}; then they leave`]]
        : []),
    );
  }

  /** The axis of params, each in its own unit: even, or for large and small ones only near 0. */
  height(low, high, ends) {
    const sizes = ends.map(Math.abs);
    const most = Math.max(...sizes);
    const least = Math.min(...sizes.filter((size) => size > LEAST_UNIT * most));
    const label = "param, in the data's units";
    if (!(most > APART_UNITS * least)) return linearAxis(...widened(low, high, 0.05), label);
    const threshold = 10 ** Math.floor(Math.log10(least));
    const wide = (value) => (value ? value * 1.3 : Math.sign(low + high) * -threshold);
    return symmetricAxis(wide(low), wide(high), threshold, `${label}; logarithmic but near 0`);
  }

  /** Which params are named: all, or those with the most effect, w times the feature's deviation. */
  shown(params) {
    const places = [...this.names.keys()];
    if (!this.many) return places;
    const standard = run.scales.standardize?.basis;
    const effect = (place) => {
      const isWeight = place < params.length - 1;
      return (
        Math.abs(params[place]) / (isWeight && standard ? standard[place] || Infinity : 1)
      );
    };
    const weights = [...run.features.keys()].sort((one, other) => effect(other) - effect(one));
    return weights.slice(0, 12).sort((one, other) => one - other);
  }

  /** The names, spread so that none hides another, each joined to its line. */
  label(shown, last, axis) {
    const { chart } = this;
    const end = chart.left + chart.width;
    const heights = shown.map((place) =>
      Math.min(Math.max(chart.y(last.params[place]), chart.top), chart.top + chart.height),
    );
    const room = Math.min(1.12 * chart.unit, (chart.height + chart.unit) / shown.length);
    const placed = spread(heights, room, chart.top, chart.top + chart.height);
    const from = chart.x(Math.min(last.epoch, axis.high));
    const parts = shown.flatMap((place, order) => {
      const colour = `colour-${order % 7}`;
      const joint = `M${tidy(from)} ${tidy(heights[order])}L${tidy(end + 0.6 * chart.unit)} ${tidy(placed[order])}`;
      return [
        shape("path", { d: joint, class: colour }),
        shape(
          "text",
          {
            x: end + 0.8 * chart.unit,
            y: placed[order] + 0.35 * chart.unit,
            class: colour,
            "font-size": Math.min(chart.unit, room * 0.98),
          },
          this.names[place],
        ),
      ];
    });
    this.labels.replaceChildren(...parts);
  }
}

/** `heights` moved so that none is nearer to another than `gap`, between `low` and `high`. */
function spread(heights, gap, low, high) {
  const order = [...heights.keys()].sort((one, other) => heights[one] - heights[other]);
  const placed = order.map((place) => heights[place]);
  for (let place = 1; place < placed.length; place += 1) {
    placed[place] = Math.max(placed[place], placed[place - 1] + gap);
  }
  let limit = high;
  for (let place = placed.length - 1; place >= 0; place -= 1) {
    placed[place] = Math.min(placed[place], limit);
    limit = placed[place] - gap;
  }
  if (placed[0] < low)
    placed.forEach((_, place) => {
      placed[place] = Math.max(placed[place], low - 0.5 * gap + place * gap);
    });
  const result = [];
  order.forEach((place, rank) => {
    result[place] = placed[rank];
  });
  return result;
}
