// The loss along its steepest direction: a parabola on which the steps go down, zigzag, or climb.

const FIRST_STEPS = 60; // are drawn, and the last four

class SteepestView {
  constructor(figure) {
    this.holder = figure.plot;
    figure.heading("Along the steepest direction");
    this.parabola = shape("path", { class: "parabola" });
    this.axis = shape("path", { class: "axis" });
    this.trail = shape("path", { class: "trail" });
    this.steps = shape("path", { class: "steps" });
    this.point = shape("circle", { class: "point", r: 6 });
    const parts = [this.axis, this.parabola, this.trail, this.steps, this.point];
    this.svg = shape(
      "svg",
      { role: "img", "aria-label": "The loss along its steepest direction" },
      ...parts,
    );
    this.holder.append(this.svg);
  }

  draw({ settings, descent, epoch }) {
    const { steepest, minimum } = run.scales[settings.scale];
    const distance = (shown) => {
      const { params } = descent.at(shown);
      return params.reduce(
        (sum, value, place) => sum + (value - minimum[place]) * steepest[place],
        0,
      );
    };
    const first = Math.min(epoch, descent.first + FIRST_STEPS);
    const last = Math.max(first + 1, epoch - 3);
    const shown = [...between(descent.first, first), ...between(last, epoch)];
    const places = shown.map(distance);
    const farthest = Math.max(...places.map(Math.abs).filter((place) => place < 1e150));
    const span = farthest > 1e-9 * Math.hypot(...minimum) ? 1.12 * farthest : 1; // else it is rounding
    const { clientWidth: width, clientHeight: height } = this.holder;
    const at = (u) => [width / 2 + ((width - 14) / 2) * u, 8 + (height - 16) * (1 - u * u)];
    set(this.svg, { viewBox: `0 0 ${width} ${height}`, width, height });
    set(this.axis, { d: `M${tidy(width / 2)} 0V${tidy(height)}` });
    set(this.parabola, {
      d: through(Array.from({ length: 81 }, (_, place) => at(place / 40 - 1))),
    });
    const points = places
      .filter((place) => Math.abs(place) < 1e150)
      .map((place) => at(place / span));
    set(this.trail, { d: through(points) });
    set(this.steps, { d: dots(points) });
    const [x, y] = points.at(-1);
    set(this.point, { cx: x, cy: y });
  }
}

/** The whole numbers from `first` to `last`. */
function between(first, last) {
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, place) => first + place);
}
