// The page: what is chosen, the descent from it, and the views that show it.

const MOST_EPOCHS = 1e7; // one may ask for
const FIRST_EPOCHS = 1e6; // are shown of a longer run
const PATIENCE = 12; // milliseconds of descending between two frames
const CHOSEN = ["optimizer", "scale", "lr", "momentum", "schedule", "decay"]; // settings

class App {
  constructor() {
    const { settings, ended } = run;
    const epochs = ended.status === "diverged" ? settings.epochs : ended.epochs;
    this.own = Math.min(epochs, FIRST_EPOCHS);
    this.record = run;
    this.views = [];
    describe(run === this.record);
    const isLine = run.features.length === 1;
    document.body.className = isLine ? "one-feature" : "many-features";
    const hasLevels = isLine && run.intercept;
    const isParabola = Boolean(run.scales[settings.scale].is_parabola) && !settings.l1;
    const steepest = new Figure("steepest");
    steepest.heading("What the learning rate does");
    steepest.plot.hidden = !isParabola;
    this.player = new Player(this);
    this.views = [
      this.player,
      new RateSlider(this),
      new Choices(this),
      this.fitView(new Figure("fit"), isLine),
      new PathView(new Figure("path"), this, hasLevels),
      new LossView(new Figure("loss"), this),
      ...(isParabola ? [new SteepestView(steepest)] : []),
      new ArithmeticView(),
      new Address(this),
    ];
    this.reset();
    this.first = { ...this.settings };
    this.resized = new ResizeObserver(() => this.draw());
    for (const sized of [document.body, ...document.querySelectorAll(".plot")])
      this.resized.observe(sized); // also where what stands beside a chart takes its room
  }

  /** Do nothing any more: another run takes the page. */
  close() {
    this.isClosed = true;
    this.player.isPlaying = false;
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
    this.descent = null;
  }

  /** What shows the fit: see fit.js and classes.js. */
  fitView(figure, isLine) {
    if (isLine || run.plane) return new FitView(figure, this);
    if (!run.classes) return new PredictionView(figure);
    return run.features.length === 2 ? new BorderView(figure) : new ProbabilityView(figure);
  }

  /** As the run was. */
  reset() {
    if (run !== this.record) this.observe(this.record);
    this.settings = { schedule: "constant", decay: null, ...run.settings };
    this.settings.lr ??= this.calmRate(this.settings);
    this.start = [...run.scales[run.settings.scale].start];
    this.epochs = this.own;
    this.other = null;
    this.wanted = 0; // the start, or where it goes on
    this.restart();
    this.original ??= { descent: this.descent, scale: run.scales[run.settings.scale] };
  }

  /** Change settings, the `start` or the number of `epochs`, and descend anew. */
  change({ start, epochs, ...settings }) {
    const before = run.scales[this.settings.scale];
    const after = run.scales[settings.scale ?? this.settings.scale];
    if (after !== before) {
      const isOwn = this.start.every((value, place) => value === before.start[place]);
      if (isOwn) this.start = [...after.start];
      else if (this.start.length === 2)
        this.start = [...onScale(inData(this.start, before), after)];
      else if (this.start.some(Boolean)) this.start = [...after.start];
    }
    Object.assign(this.settings, settings);
    if (start) this.start = [...start];
    if (epochs) this.epochs = epochs;
    this.restart();
    if (epochs && this.other) this.other.descent = this.descentFrom(this.other);
  }

  /** A learning rate at which nothing overshoots. */
  calmRate({ scale }) {
    return Number((1 / run.scales[scale].lambda_max).toPrecision(3));
  }

  /** Start at zeros, at random, or as the run did. */
  startFrom(name) {
    const own = run.scales[this.settings.scale].start;
    const size = run.features.length + Number(run.intercept);
    const random = own.map((_, place) => (place < size ? Math.random() : 0));
    const places = { run: own, zeros: own.map(() => 0), random };
    this.change({ start: places[name] });
  }

  /** A second run beside this one, from the same settings, which are then its own; or none. */
  race() {
    this.other = this.other
      ? null
      : {
          settings: { ...this.settings },
          start: [...this.start],
          descent: this.descent,
          number: 1,
        };
    this.number = 2;
    this.draw();
  }

  /** Set the other of two runs. */
  swap() {
    const { settings, start, descent, number } = this;
    Object.assign(this, this.other);
    this.other = { settings, start, descent, number };
    this.seen = null;
    this.work();
  }

  /** Take a run whose observations have changed, and descend anew, from the same lines. */
  observe(record) {
    const before = run;
    take(record);
    for (const each of [this, this.other].filter(Boolean)) {
      const { scale } = each.settings;
      if (each.start && record.features.length === 1)
        each.start = [...onScale(inData(each.start, before.scales[scale]), record.scales[scale])];
    }
    describe(run === this.record);
    for (const view of this.views) view.observe?.();
    if (!this.descent) return;
    if (this.other) this.other.descent = this.descentFrom(this.other);
    this.restart();
  }

  restart() {
    refuse("");
    const before = this.descent?.first ?? 0;
    this.descent = this.descentFrom(this);
    this.wanted += this.descent.first - before;
    this.seen = null;
    this.isWhole = false;
    this.work();
  }

  descentFrom({ settings, start }) {
    const { optimizer, scale, lr, momentum, schedule, decay } = settings;
    const epochs = this.epochs === this.own ? undefined : this.epochs;
    return descentOf({ optimizer, scale, lr, momentum, schedule, decay, start, epochs });
  }

  /** Descend for a moment; go on in the next frame if there is more to do. */
  work() {
    const { descent, other } = this;
    const until = performance.now() + PATIENCE;
    let count = 0;
    const isTired = () => (count += 1) % 16 === 0 && performance.now() > until;
    const descents = [descent, ...(other ? [other.descent] : [])];
    for (const each of descents) each.run(this.end, isTired);
    this.draw();
    if (descents.every(({ status, last }) => status || last.epoch >= this.end))
      this.seen = Math.max(...descents.map((each) => each.lastToSee(run.rounding)));
    else
      requestAnimationFrame(() => {
        if (descent === this.descent && other === this.other) this.work();
      });
  }

  /** Show an epoch. */
  show(epoch) {
    this.wanted = epoch >= this.last ? Infinity : Math.max(this.descent.first, epoch);
    this.draw();
  }

  pause() {
    this.player.pause();
  }

  /** Look at another view of the path. */
  look(view) {
    this.view = view;
    this.draw();
  }

  /** Show all epochs, or those in which something happens. */
  turn() {
    this.isWhole = !this.isWhole;
    this.draw();
  }

  /** The last epoch that is asked for. */
  get end() {
    return this.descent.first + this.epochs;
  }

  /** The last epoch that there is to show. */
  get last() {
    const isOver = this.descent.status && (this.other?.descent.status ?? true);
    if (isOver) return this.reached;
    return this.isWhole ? this.end : (this.seen ?? this.end);
  }

  /** The last epoch that one of the runs has come to. */
  get reached() {
    return Math.max(this.descent.last.epoch, this.other?.descent.last.epoch ?? 0);
  }

  get epoch() {
    return Math.max(Math.min(this.wanted, this.last, this.reached), this.descent.first);
  }

  get axis() {
    return epochAxis(this.descent.first, this.last);
  }

  /** Whether this is another descent than the run. */
  get differs() {
    const { settings, start } = this;
    const own = run.scales[settings.scale].start;
    return (
      run !== this.record ||
      Boolean(this.other) ||
      CHOSEN.some((name) => (settings[name] ?? null) !== (this.first[name] ?? null)) ||
      start.some((value, place) => value !== own[place]) ||
      this.epochs !== this.own
    );
  }

  /**
   * The run that is drawn beside the one that is shown: its `points` [epoch, loss, …params], their
   * `scale`, what it is called and how it is drawn; the other of two, or the page's own where it
   * is not the one that is shown.
   */
  get ghost() {
    const { first } = this.descent;
    const { settings } = this.record;
    if (this.other) {
      const { descent, settings: others, number } = this.other;
      const told = LINE_SEARCHES.includes(others.optimizer) ? "" : `, γ ${brief(others.lr, 3)}`;
      return this.ghostOf(
        descent,
        run.scales[others.scale],
        "rival",
        `run ${number}: ${others.optimizer}${told}`,
      );
    }
    if (run.rows.kind === "sample") {
      const points = run.ended.steps.map(([epoch, ...numbers]) => [first + epoch, ...numbers]);
      const scale = run.scales[settings.scale];
      return { points, scale, start: scale.start, kind: "ghost", name: "the run" };
    }
    if (!this.differs) return null;
    return this.ghostOf(this.original.descent, this.original.scale, "ghost", "the run");
  }

  ghostOf({ steps, first: own }, scale, kind, name) {
    const { first } = this.descent;
    const points = steps
      .slice(1)
      .map(({ epoch, loss, params }) => [first + epoch - own, loss, ...params]);
    return { points, scale, start: steps[0].params, kind, name };
  }

  /** Draw all views in the next frame. */
  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      const { settings, descent, axis, last, other } = this;
      const epoch = Math.min(this.epoch, descent.last.epoch);
      const scale = run.scales[settings.scale];
      const rival = other?.descent.at(this.epoch);
      const step = descent.at(epoch);
      const scene = {
        settings,
        descent,
        epoch,
        axis,
        differs: this.differs,
        ghost: this.ghost,
        step,
        began: descent.kept[1] ?? step, // the first row, whose loss is that of the start
        epochs: last,
        shape: scale,
        params: inData(step.params, scale),
        start: inData(this.start, scale),
        rival: rival && inData(rival.params, run.scales[other.settings.scale]),
      };
      for (const view of this.views) view.draw(scene);
    });
  }
}
