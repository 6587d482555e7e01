// The modes: how far the params are from the minimum along each eigenvector of the Hessian, epoch by
// epoch, as in G. Goh, "Why Momentum Really Works", Distill, 2017. And the switch to that view.

const MODES_NAMED = 6; // of more, the steepest and the flattest are
const ROUNDED_AWAY = 1e-12; // of the largest distance at the start: below it is rounding

class ModesView {
  constructor(figure, app) {
    this.figure = figure;
    this.title = "The error in each mode, epoch by epoch";
    this.chart = new Chart(figure.plot, this.title);
    this.lines = shape("g");
    this.now = shape("path", { class: "now" });
    this.labels = shape("g", { class: "labels" });
    this.chart.plot.append(this.now, this.lines);
    this.chart.over.append(this.labels);
    scrubs(this.chart, app);
    set(this.chart.svg, { class: "scrubs" });
    this.observe();
  }

  /** Other observations have other modes. */
  observe() {
    this.found = {};
  }

  /** The eigenvalues of the Hessian on a scale that are not 0, the steepest first, and their axes. */
  modesOn(scale) {
    return (this.found[scale] ??= (() => {
      const { design, target, size, weights, total, l2 } = objectiveOn(scale);
      const rows = Array.from(target, (y, row) => {
        const root = Math.sqrt(weights ? weights[row] : 1);
        return [...design.subarray(row * size, (row + 1) * size), y].map((value) => root * value);
      });
      const { bends, axes, minimum } = bendsOn(rows, total, l2);
      const modes = bends.map((bend, place) => ({ bend, axis: axes[place] }));
      return { modes: modes.filter(({ bend }) => bend > 0), minimum };
    })());
  }

  draw({ settings, descent, epoch, axis }) {
    const { chart } = this;
    const { modes, minimum } = this.modesOn(settings.scale);
    const steps = descent.steps.filter((step) => step.epoch <= axis.high);
    const errors = modes.map(({ axis: direction }) =>
      steps.map(({ params }) =>
        Math.abs(
          direction.reduce((sum, part, place) => sum + part * (params[place] - minimum[place]), 0),
        ),
      ),
    );
    const first = Math.max(...errors.map(([error]) => error)) || 1;
    const seen = errors
      .flat()
      .filter((error) => error > ROUNDED_AWAY * first && error < 1e15 * first);
    const [low, high] = extent(seen.length ? seen : [first]);
    const room = Math.max((high / low) ** 0.05, 1.2);
    const y = logAxis(low / room, high * room, "distance to the minimum, along each eigenvector");
    chart.layoutFor(y);
    chart.width = Math.max(chart.width - 5.6 * chart.unit, 0.5 * chart.width);
    for (const part of [chart.window, chart.back]) set(part, { width: chart.width });
    chart.axes(axis, y);
    const named = this.named(modes.length);
    this.lines.replaceChildren(
      ...errors.map((along, place) => {
        const points = along.map((error, at) => [
          chart.x(steps[at].epoch),
          error > low / 10 ? chart.y(error) : NaN,
        ]);
        const order = named.indexOf(place);
        return shape("path", {
          d: through(points),
          class: order < 0 ? "param faint" : `param colour-${order}`,
        });
      }),
    );
    const at = tidy(chart.x(epoch));
    set(this.now, { d: `M${at} ${tidy(chart.top)}V${tidy(chart.top + chart.height)}` });
    this.label(named, modes, errors, low);
    this.figure.note(["", modeWords(settings, modes, modes.length - named.length)]);
  }

  named(count) {
    const places = [...new Array(count).keys()];
    return count <= MODES_NAMED
      ? places
      : [...places.slice(0, MODES_NAMED / 2), ...places.slice(-MODES_NAMED / 2)];
  }

  /** Each eigenvalue beside the end of its line. */
  label(named, modes, errors, low) {
    const { chart } = this;
    const ends = named.map((place) => chart.y(Math.max(errors[place].at(-1), low)));
    const [top, bottom] = [chart.top, chart.top + chart.height];
    const heights = ends.map((height) => Math.min(Math.max(height, top), bottom));
    const placed = spread(heights, 1.15 * chart.unit, top, bottom);
    this.labels.replaceChildren(
      ...named.map((place, order) => {
        const at = {
          x: chart.left + chart.width + 0.4 * chart.unit,
          y: placed[order] + 0.35 * chart.unit,
        };
        return shape(
          "text",
          { ...at, class: `colour-${order}` },
          `λ ${brief(modes[place].bend, 3)}`,
        );
      }),
    );
  }
}

/** What the modes say, for who sees them for the first time. */
function modeWords(settings, modes, faint) {
  const more = faint > 0 ? ` The ${counted(faint)} between them are faint.` : "";
  const { optimizer, schedule = "constant", lr } = settings;
  if (!["gd", "momentum", "nesterov"].includes(optimizer) || schedule !== "constant")
    return `Each line is an eigenvector of the Hessian; λ says how steep the loss is along it.${more}`;
  const kept = (mode) => Math.abs(factorAlong(settings, lr * mode.bend));
  const [steep, flat] = [modes[0], modes.at(-1)];
  const told = (mode) =>
    kept(mode) < 1
      ? `keeps ${percent(kept(mode))} of its error`
      : `grows ${brief(kept(mode), 3)} times`;
  if (modes.length < 2 || steep.bend < 1.01 * flat.bend)
    return `The valley is round: in each epoch every mode ${told(steep)}.`;
  const both = `In each epoch the steepest mode, λ = ${brief(steep.bend, 3)}, ${told(steep)}; the flattest, λ = ${brief(flat.bend, 3)}, ${told(flat)}`;
  if (kept(steep) >= 1)
    return `${both}. Along the steepest each step leaps over the minimum.${more}`;
  if (kept(flat) - kept(steep) < 0.005)
    return `${both}. ${optimizer === "gd" ? "A larger γ would overshoot along the steepest" : "The steps before carry it along the valley's floor, too"}.${more}`;
  return `${both}: that is the valley's floor, where the loss hardly slopes, so that steps are short. A larger γ helps there until, at the limit, the walls throw the steps out.${more}`;
}

/** The figure of the path: the level sets, or the params of several features; or the modes. */
class PathView {
  constructor(figure, app, hasLevels) {
    this.app = app;
    this.figure = figure;
    this.views = { path: hasLevels ? new LevelsView(figure, app) : new ParamsView(figure, app) };
    const { settings, scales } = run;
    if (scales[settings.scale].is_parabola && !settings.l1)
      this.views.modes = new ModesView(figure, app);
    this.switch = element("button", { type: "button", id: "modes" }, "");
    this.switch.addEventListener("click", () => app.look(app.view === "modes" ? "path" : "modes"));
    if (this.views.modes) figure.title.after(this.switch);
    this.other = hasLevels ? "level sets" : "params";
  }

  observe() {
    for (const view of Object.values(this.views)) view.observe?.();
  }

  draw(scene) {
    const { view = "path" } = this.app;
    const shown = this.views[view] ?? this.views.path;
    for (const each of Object.values(this.views))
      set(each.chart.svg, { hidden: each === shown ? null : "" });
    this.figure.heading(shown.title);
    say(this.switch, view === "modes" ? this.other : "modes");
    shown.draw(scene);
  }
}
