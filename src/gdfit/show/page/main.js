// The page: what is chosen, the descent from it, and the views that show it.

const MOST_EPOCHS = 1e7; // one may ask for
const FIRST_EPOCHS = 1e6; // are shown of a longer run
const PATIENCE = 12; // milliseconds of descending between two frames

class App {
  constructor() {
    const { settings, ended } = run;
    const epochs = ended.status === "diverged" ? settings.epochs : ended.epochs;
    this.own = Math.min(epochs, FIRST_EPOCHS);
    this.describe();
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
      hasLevels ? new LevelsView(new Figure("path"), this) : new ParamsView(new Figure("path"), this),
      new LossView(new Figure("loss"), this),
      ...(isParabola ? [new SteepestView(steepest)] : []),
      new ArithmeticView(),
    ];
    this.reset();
    this.resized = new ResizeObserver(() => this.draw());
    for (const sized of [document.body, ...document.querySelectorAll(".plot")])
      this.resized.observe(sized); // also where what stands beside a chart takes its room
  }

  /** Do nothing any more: another run takes the page. */
  close() {
    this.player.isPlaying = false;
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
    this.descent = null;
  }

  /** What shows the fit: see fit.js and classes.js. */
  fitView(figure, isLine) {
    if (isLine || run.plane) return new FitView(figure);
    if (!run.classes) return new PredictionView(figure);
    return run.features.length === 2 ? new BorderView(figure) : new ProbabilityView(figure);
  }

  /** What the page says once and for all. */
  describe() {
    const { features, answer, observations, settings, validation, intercept } = run;
    const name = named(answer, 40);
    const model =
      features.length === 1
        ? `${name} = ${linked(`w · ${named(features[0])}${intercept ? " + b" : ""}`)}`
        : `${name} from ${counted(features.length)} features`;
    const held = validation ? `, validated on ${counted(validation.observations)} more` : "";
    const batches = settings.batch_size
      ? `, in mini-batches of ${counted(settings.batch_size)}`
      : "";
    const penalties = penaltiesOf(settings);
    const penalty = penalties ? `, with the penalty ${penalties}` : "";
    const loss = `${run.weighted ? "weighted " : ""}${run.loss_name}`;
    const about = `${loss} of ${counted(observations, "observation")}${batches}${penalty}${held}`;
    const [isNote, ground] = groundOf(run);
    say(document.getElementById("model"), model);
    say(document.getElementById("about"), about);
    const holder = document.getElementById(isNote ? "ground" : "footing");
    holder.hidden = false;
    say(holder, isNote ? ground : `${historyOf(run)} ${ground}`);
    say(document.getElementById("made"), `gdfit ${run.version}`);
  }

  /** As the run was. */
  reset() {
    this.settings = { ...run.settings };
    this.start = [...run.scales[run.settings.scale].start];
    this.epochs = this.own;
    this.wanted = 0; // the start, or where it goes on
    this.restart();
    this.original ??= this.descent;
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
  }

  /** Start at zeros, at random, or as the run did. */
  startFrom(name) {
    const own = run.scales[this.settings.scale].start;
    const size = run.features.length + Number(run.intercept);
    const random = own.map((_, place) => (place < size ? Math.random() : 0));
    const places = { run: own, zeros: own.map(() => 0), random };
    this.change({ start: places[name] });
  }

  restart() {
    const { optimizer, scale, lr, momentum } = this.settings;
    const before = this.descent?.first ?? 0;
    this.descent = descentOf({ optimizer, scale, lr, momentum, start: this.start });
    this.wanted += this.descent.first - before;
    this.seen = null;
    this.isWhole = false;
    this.work();
  }

  /** Descend for a moment; go on in the next frame if there is more to do. */
  work() {
    const { descent } = this;
    const until = performance.now() + PATIENCE;
    let count = 0;
    descent.run(this.end, () => (count += 1) % 16 === 0 && performance.now() > until);
    this.draw();
    const isDone = descent.status || descent.last.epoch >= this.end;
    if (isDone) this.seen = descent.lastToSee(run.rounding);
    else
      requestAnimationFrame(() => {
        if (descent === this.descent) this.work();
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
    if (this.descent.status) return this.descent.last.epoch;
    return this.isWhole ? this.end : (this.seen ?? this.end);
  }

  get epoch() {
    const { first, last } = this.descent;
    return Math.max(Math.min(this.wanted, this.last, last.epoch), first);
  }

  get axis() {
    return epochAxis(this.descent.first, this.last);
  }

  /** Whether this is another descent than the run. */
  get differs() {
    const { settings, start } = this;
    const own = run.scales[settings.scale].start;
    return (
      ["optimizer", "scale", "lr", "momentum"].some(
        (name) => settings[name] !== run.settings[name],
      ) ||
      start.some((value, place) => value !== own[place]) ||
      this.epochs !== this.own
    );
  }

  /** The steps of the run, [epoch, loss, …params], where they are not those that are shown. */
  get ghost() {
    const { first } = this.descent;
    if (run.rows.kind === "sample")
      return run.ended.steps.map(([epoch, ...numbers]) => [first + epoch, ...numbers]);
    if (!this.differs) return null;
    const { steps, first: own } = this.original;
    return steps
      .slice(1)
      .map(({ epoch, loss, params }) => [first + epoch - own, loss, ...params]);
  }

  /** Draw all views in the next frame. */
  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      const { settings, descent, epoch, axis, last } = this;
      const scale = run.scales[settings.scale];
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
      };
      for (const view of this.views) view.draw(scene);
    });
  }
}

let app = null;
const held = JSON.parse(document.getElementById("run").textContent);
const PARTS = ["header", ".controls", "#steepest", "main", "#sums", "footer"];
const blank = PARTS.map((part) => document.querySelector(part).cloneNode(true));

/** Show a run, in elements that nothing has been done to. */
function begin(record) {
  app?.close();
  PARTS.forEach((part, place) => document.querySelector(part).replaceWith(blank[place].cloneNode(true)));
  take(record);
  app = new App();
}

document.addEventListener("keydown", (event) => app?.player.onPage(event));
if (held.rows) begin(held);
else new FileView();
