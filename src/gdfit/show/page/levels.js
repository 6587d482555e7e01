// The level sets of the loss over (w, b), with the path that the params take. One drags the start.

const GRIP = 22; // pixels: what a finger finds
const DOTS = 60; // steps are drawn as dots, the first ones
const BANDS = 16;
const FAR_APART = 20; // times each other: scales that can't be one

class LevelsView {
  constructor(figure, app) {
    this.app = app;
    this.figure = figure;
    this.title = "The path across the loss's level sets";
    this.chart = new Chart(figure.plot, this.title);
    this.surfaces = {};
    this.bands = shape("g", { class: "bands" });
    this.ghost = shape("path", { class: "ghost" });
    this.ahead = shape("path", { class: "ahead" });
    this.path = shape("path", { class: "path" });
    this.steps = shape("path", { class: "steps" });
    this.marks = shape("g", { class: "marks" });
    this.minimum = shape("path", { class: "minimum" });
    this.point = shape("circle", { class: "point" });
    this.handle = shape(
      "g",
      { class: "handle", tabindex: 0, role: "button", "aria-roledescription": "movable point" },
      shape("circle", { class: "grip", r: GRIP }),
      shape("circle", { class: "ring" }),
    );
    this.chart.plot.append(this.bands, this.ghost, this.ahead, this.path, this.steps, this.marks);
    this.chart.over.append(this.minimum, this.point, this.handle);
    this.listen();
  }

  listen() {
    const { handle, chart, app } = this;
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      this.isDragging = true;
      event.preventDefault();
      handle.focus({ preventScroll: true });
    });
    handle.addEventListener("pointermove", (event) => {
      if (this.isDragging) app.change({ start: this.under(event) });
    });
    for (const end of ["pointerup", "pointercancel"]) {
      handle.addEventListener(end, () => {
        this.isDragging = false;
        app.draw();
      });
    }
    handle.addEventListener("click", (event) => event.stopPropagation());
    chart.svg.addEventListener("click", (event) => {
      const parts = chart.partsOf(event);
      if (parts.every((part) => part >= 0 && part <= 1)) app.change({ start: this.under(event) });
    });
    handle.addEventListener("keydown", (event) => {
      const [right, up] =
        { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[
          event.key
        ] ?? [];
      if (right === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      const size = event.shiftKey ? 0.1 : 0.02;
      const [w, b] = app.start;
      app.change({
        start: [w + size * right * this.span(this.x), b + size * up * this.span(this.y)],
      });
    });
    handle.addEventListener("focus", () => {
      this.isHeld = true;
    });
    handle.addEventListener("blur", () => {
      this.isHeld = false;
      app.draw();
    });
  }

  span({ low, high }) {
    return high - low;
  }

  /** The params under the pointer. */
  under(event) {
    const [right, up] = this.chart.partsOf(event).map((part) => Math.min(Math.max(part, 0), 1));
    return [this.x.back(right), this.y.back(up)];
  }

  draw({ settings, descent, epoch, step, ghost }) {
    const { chart } = this;
    const { scale } = settings;
    const surface = (this.surfaces[scale] ??= new Surface(scale));
    if (this.y) chart.layoutFor(this.y);
    else chart.layout(6);
    this.frame(surface, scale, this.app.start);
    chart.layoutFor(this.y); // with its ticks, the frame's size is known
    this.frame(surface, scale, this.app.start);
    const at = ([w, b]) => [chart.x(w), chart.y(b)];
    this.drawBands(surface, at);
    const places = descent.steps.map(({ params }) => at(params));
    const past = descent.steps.filter((kept) => kept.epoch < epoch).map(({ params }) => at(params));
    set(this.ahead, { d: through(places) });
    set(this.path, { d: through([...past, at(step.params)]) });
    set(this.steps, { d: dots(past.slice(1, DOTS)) });
    const ghostly = ghost ? this.ghostly(ghost, scale) : [];
    set(this.ghost, { d: through(ghostly.map(at)), class: ghost?.kind ?? "ghost" });
    const hasMinimum = !run.ended.separable;
    set(this.minimum, { d: hasMinimum ? star(...at(surface.minimum), 0.95 * chart.unit) : "" });
    const [x, y] = at(step.params);
    set(this.point, {
      cx: x,
      cy: y,
      r: 0.42 * chart.unit,
      visibility: Number.isFinite(x + y) && this.isInside([x, y]) ? null : "hidden",
    });
    const [left, up] = at(this.app.start);
    set(this.handle, {
      transform: `translate(${tidy(left)} ${tidy(up)})`,
      "aria-label": `start at w ${short(this.app.start[0], 3)}, b ${short(this.app.start[1], 3)}; the arrow keys move it`,
    });
    set(this.handle.lastElementChild, { r: 0.62 * chart.unit });
    this.mark(descent, epoch, at);
    const gone = descent.steps.find(({ params }) => !this.isInside(at(params)));
    this.figure.note(
      ["start", "start: drag it"],
      ["path", "path, with epochs 1, 10, 100 …"],
      ...(hasMinimum ? [["minimum", surface.axes.isFlat ? "a minimum" : "minimum"]] : []),
      ...(ghost ? [[ghost.kind, ghost.name]] : []),
      ...(this.isEqual ? [] : [["", "w and b on different scales: no right angles"]]),
      ...(gone ? [["", `the path leaves at epoch ${counted(gone.epoch)}`]] : []),
    );
  }

  isInside([x, y]) {
    const { left, top, width, height } = this.chart;
    return x >= left && x <= left + width && y >= top && y <= top + height;
  }

  /** The axes: around the minimum, so that the start and the shape of the valley are seen. */
  frame(surface, scale, start) {
    const { chart } = this;
    const isHeld = this.isDragging || this.isHeld;
    if (!(isHeld && this.scale === scale)) {
      const way = start.map((value, place) => Math.abs(value - surface.minimum[place]));
      const reach = Math.sqrt(2 * Math.max(surface.at(start) - surface.least, 0));
      const far = Math.hypot(...way);
      const half = way.map((length, place) => {
        const shapely = reach * Math.hypot(...surface.axes.units.map((unit) => unit[place]));
        return Math.max(1.3 * length, surface.axes.isFlat ? far : 0.45 * shapely, 0.05 * far);
      });
      if (far > 1e-9 * Math.hypot(...surface.minimum)) this.half = half;
      else if (this.scale !== scale)
        this.half = surface.minimum.map((value) => Math.abs(value) || 1);
      [this.scale, this.centre] = [scale, surface.minimum];
    }
    let [wide, high] = this.half;
    // With one scale a round valley looks round, and the path crosses level sets at right angles.
    const sizes = [wide / chart.width, high / chart.height];
    const unit = Math.max(...sizes);
    this.isEqual = unit <= FAR_APART * Math.min(...sizes);
    if (this.isEqual) [wide, high] = [unit * chart.width, unit * chart.height];
    const [w, b] = this.centre;
    const units = { none: "", standardize: " (standardized)", whiten: " (whitened)" }[scale];
    this.x = linearAxis(w - wide, w + wide, `w${units}`);
    this.y = linearAxis(b - high, b + high, `b${units}`);
    chart.axes(this.x, this.y);
  }

  drawBands(surface, at) {
    const { chart, x, y } = this;
    const key = JSON.stringify([
      this.scale,
      x.low,
      x.high,
      y.low,
      y.high,
      chart.width,
      chart.height,
    ]);
    if (key === this.key) return;
    this.key = key;
    const corners = [x.low, x.high].flatMap((w) => [y.low, y.high].map((b) => surface.at([w, b])));
    const top = Math.max(...corners) - surface.least; // a convex function is largest in a corner
    const { left, top: up, width, height } = chart;
    const paths = [];
    for (let band = 1; band <= BANDS; band += 1) {
      const above = top * LOSS.lowest ** ((band - 1) / (BANDS - 1));
      const outline =
        band === 1
          ? [
              [left, up],
              [left + width, up],
              [left + width, up + height],
              [left, up + height],
            ]
          : clipped(surface.levelSet(above).map(at), [left, up, left + width, up + height]);
      const path = shape("path", { d: through(outline, true) });
      path.style.setProperty("--depth", `${Math.round((100 * band) / BANDS)}%`);
      paths.push(path);
    }
    this.bands.replaceChildren(...(top > 0 && Number.isFinite(top) ? paths : []));
  }

  /** The path of another run, on the scale that is shown. */
  ghostly({ points, start, scale: own }, scale) {
    const there = (w, b) => onScale(inData([w ?? NaN, b ?? NaN], own), run.scales[scale]);
    return [there(...start), ...points.map(([, , w, b]) => there(w, b))];
  }

  /** Other observations have another loss. */
  observe() {
    this.surfaces = {};
    this.key = null;
  }

  /** The epochs 1, 10, 100 … along the path, where they are apart. */
  mark(descent, epoch, at) {
    const { unit } = this.chart;
    const { first, last, kept } = descent;
    const places = [at(kept[0].params), at(this.surfaces[this.scale].minimum)];
    const parts = [];
    for (let count = 1; first + count <= last.epoch; count *= 10) {
      const marked = first + count;
      const [x, y] = at(descent.at(marked).params);
      const isApart = places.every(([left, up]) => Math.hypot(left - x, up - y) > 2 * unit);
      if (!isApart || !this.isInside([x, y])) continue;
      places.push([x, y]);
      const faint = marked > epoch ? "faint" : null;
      parts.push(shape("circle", { cx: x, cy: y, r: 0.27 * unit, class: faint }));
      parts.push(
        shape("text", { x: x + 0.5 * unit, y: y - 0.5 * unit, class: faint }, counted(marked)),
      );
    }
    this.marks.replaceChildren(...parts);
  }
}

/** A convex polygon, as far as it is inside of the box (Sutherland and Hodgman, 1974). */
function clipped(polygon, [left, top, right, bottom]) {
  const sides = [
    [0, left, 1],
    [0, right, -1],
    [1, top, 1],
    [1, bottom, -1],
  ];
  return sides.reduce(
    (points, [axis, limit, sign]) =>
      points.flatMap((point, place) => {
        const before = points.at(place - 1);
        const [inside, was] = [point, before].map((one) => sign * (one[axis] - limit) >= 0);
        if (inside === was) return inside ? [point] : [];
        const part = (limit - before[axis]) / (point[axis] - before[axis]);
        const crossing = [0, 1].map(
          (other) => before[other] + part * (point[other] - before[other]),
        );
        return inside ? [crossing, point] : [crossing];
      }),
    polygon,
  );
}
