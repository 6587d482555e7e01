// The training loop, and its path: thinned where it is long, and walked again from any place.

const SPACING = 300; // pairs of steps are kept at least this part of their epoch apart: enough to draw
const UNSEEN = 1e-4; // of the way that params have come, and of a loss: what is nearer to the last is as it
const AFTERWARDS = 1.3; // times the epochs until then are shown
const FEWEST = 12; // epochs are shown

/**
 * A descent from `start`, an epoch at a time. As in gdfit's table, a step's loss and gradient are
 * those at the params before its update (with mini-batches, the means of theirs), and its params
 * those after it. Epochs are counted on from those before the start, which is the `first`: 0, but in
 * a run that goes on.
 *
 * kept : steps for drawing: all of the first `SPACING`, then ever farther apart, always two in a
 *     row, so that a zigzag remains one.
 * last : the step that was made last; in the beginning the start.
 * status : "diverged" once the loss or a param is not finite, or the loss `beyond` times the first
 *     and above that of params that are all 0.
 * before : of a run that goes on, what came before the start; see __init__.py.
 */
class Descent {
  constructor(objective, settings, start, { shuffling, beyond, before }) {
    Object.assign(this, { objective, settings });
    const size = settings.batch_size;
    this.batch = size && size < objective.target.length ? size : null;
    this.shuffling = this.batch ? new Shuffling(shuffling) : null;
    this.first = before?.epochs ?? 0;
    this.rule = rulesOf(settings)[settings.optimizer];
    this.whole = { ...settings, bend: (direction) => objective.bend(direction) };
    const params = Float64Array.from(start);
    const first = before?.first_loss ?? objective.at(params);
    this.bound = Math.max(beyond * first, objective.at(params.map(() => 0)));
    this.last = { epoch: this.first, params, memory: { ...before?.memory } };
    this.kept = [this.last];
    this.isPair = false; // whether the last two that were kept are two in a row
    this.status = "";
  }

  /** The kept steps and the last one. */
  get steps() {
    return this.kept.at(-1) === this.last ? this.kept : [...this.kept, this.last];
  }

  /** Go on to the epoch `until`, or until it diverges, or until `tired()`. */
  run(until, tired = () => false) {
    while (!this.status && this.last.epoch < until && !tired()) {
      const step = this.after(this.last);
      this.last = step;
      this.keep(step);
      if (this.isDivergent(step)) this.status = "diverged";
    }
  }

  keep(step) {
    const apart = step.epoch - this.kept.at(-1).epoch;
    const isDue = apart >= (step.epoch - this.first) / SPACING;
    if (!isDue && (apart > 1 || this.isPair)) return;
    this.kept.push(step);
    this.isPair = !isDue;
  }

  /**
   * The last epoch that there is to see: some after that from which on neither the loss nor a param
   * changes visibly, below `rounding` none; the same as of gdfit's pictures.
   */
  lastToSee(rounding) {
    const { steps, objective, first, last } = this;
    if (this.status) return last.epoch;
    const away = steps.map(({ params }) => farthest(params, last.params));
    const most = UNSEEN * Math.max(...away);
    const end = objective.at(last.params);
    const isOpen = (place) =>
      away[place] > most ||
      (place + 1 < steps.length && Math.abs(steps[place + 1].loss - end) > UNSEEN * end + rounding);
    let settled = steps.length - 1;
    while (settled >= 0 && !isOpen(settled)) settled -= 1;
    if (settled + 2 >= steps.length) return last.epoch;
    const seen = Math.max(Math.ceil(AFTERWARDS * (steps[settled + 1].epoch - first)), FEWEST);
    return AFTERWARDS * seen < last.epoch - first ? first + seen : last.epoch;
  }

  isDivergent({ loss, params }) {
    return !(Number.isFinite(loss) && params.every(Number.isFinite) && loss <= this.bound);
  }

  /** The step of an epoch that has been run: from the nearest one before it that was kept. */
  at(epoch) {
    if (epoch >= this.last.epoch) return this.last;
    let low = 0;
    let high = this.kept.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.kept[middle].epoch <= epoch) low = middle;
      else high = middle;
    }
    let step = this.kept[low];
    while (step.epoch < epoch) step = this.after(step);
    return step;
  }

  /**
   * The step that follows `step`. It knows the params that it `began` at, and the update that led
   * to its params, with mini-batches the last one: `from` which params, with which `slope`, which
   * learning `rate`, and what the rule remembered, `earlier`.
   */
  after(step) {
    if (this.batch) return this.throughBatches(step);
    const { objective } = this;
    const { params: from, memory: earlier } = step;
    const settings = this.settingsIn(step.epoch + 1);
    const memory = { ...earlier };
    const grad = new Float64Array(from.length);
    const loss = objective.at(from, grad);
    const params = this.rule(from, grad, memory, settings);
    return {
      epoch: step.epoch + 1,
      loss,
      grad,
      params,
      memory,
      began: from,
      from,
      slope: grad,
      rate: memory.rate ?? settings.lr,
      earlier,
    };
  }

  /** The settings with the learning rate of an epoch. */
  settingsIn(epoch) {
    const { whole, first } = this;
    if (whole.schedule === "constant") return whole;
    return { ...whole, lr: rateIn(epoch, first + whole.epochs, whole) };
  }

  throughBatches({ epoch, params, memory }) {
    const began = params;
    const { objective, shuffling, batch } = this;
    const settings = this.settingsIn(epoch + 1);
    const order = shuffling.order(objective.target.length, epoch + 1);
    const sums = { loss: 0, grad: new Float64Array(params.length), count: 0 };
    const meanWeight = objective.total / order.length;
    let [from, slope, earlier] = [params, null, memory];
    for (let start = 0; start < order.length; start += batch) {
      const end = Math.min(start + batch, order.length);
      [from, slope, earlier] = [params, new Float64Array(params.length), memory];
      memory = { ...earlier };
      const total = (end - start) * meanWeight;
      sums.loss += objective.ofRows(order, start, end, total, from, slope);
      slope.forEach((value, place) => {
        sums.grad[place] += value;
      });
      sums.count += 1;
      params = this.rule(from, slope, memory, settings);
    }
    const [loss, grad] = [sums.loss / sums.count, sums.grad.map((sum) => sum / sums.count)];
    return {
      epoch: epoch + 1,
      loss,
      grad,
      params,
      memory,
      began,
      from,
      slope,
      rate: settings.lr,
      earlier,
    };
  }
}

/** How far apart params are, along the param that is farthest. */
function farthest(params, others) {
  return Math.max(...params.map((value, place) => Math.abs(value - others[place])));
}
