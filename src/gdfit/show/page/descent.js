// The training loop, and its path: thinned where it is long, and walked again from any place.

const SPACING = 300; // steps are kept at least this part of their epoch apart: enough to draw

/**
 * A descent from `start`, an epoch at a time. As in gdfit's table, a step's loss and gradient are
 * those at the params before its update (with mini-batches, the means of theirs), and its params
 * those after it.
 *
 * kept : steps for drawing: all of the first `SPACING`, then ever farther apart.
 * last : the step that was made last; in the beginning epoch 0, the start.
 * status : "diverged" once the loss or a param is not finite, or the loss `beyond` times the first
 *     and above that of params that are all 0.
 * before : of a run that goes on, what came before the start; see contents.py.
 */
class Descent {
  constructor(objective, settings, start, { shuffling, beyond, before }) {
    Object.assign(this, { objective, settings });
    const size = settings.batch_size;
    this.batch = size && size < objective.target.length ? size : null;
    this.shuffling = this.batch ? new Shuffling(shuffling) : null;
    this.epochsBefore = before?.epochs ?? 0;
    const params = Float64Array.from(start);
    const first = before?.first_loss ?? objective.at(params);
    this.bound = Math.max(beyond * first, objective.at(params.map(() => 0)));
    this.last = { epoch: 0, params, memory: { ...before?.memory } };
    this.kept = [this.last];
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
      if (step.epoch - this.kept.at(-1).epoch >= step.epoch / SPACING) this.kept.push(step);
      if (this.isDivergent(step)) this.status = "diverged";
    }
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
   * to its params, with mini-batches the last one: `from` which params, with which `slope`, and
   * what the rule remembered, `earlier`.
   */
  after(step) {
    if (this.batch) return this.throughBatches(step);
    const { objective, settings } = this;
    const { params: from, memory: earlier } = step;
    const memory = { ...earlier };
    const grad = new Float64Array(from.length);
    const loss = objective.at(from, grad);
    const params = OPTIMIZERS[settings.optimizer](from, grad, memory, settings);
    return {
      epoch: step.epoch + 1,
      loss,
      grad,
      params,
      memory,
      began: from,
      from,
      slope: grad,
      earlier,
    };
  }

  throughBatches({ epoch, params, memory }) {
    const began = params;
    const { objective, settings, shuffling, batch } = this;
    const update = OPTIMIZERS[settings.optimizer];
    const order = shuffling.order(objective.target.length, this.epochsBefore + epoch + 1);
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
      params = update(from, slope, memory, settings);
    }
    const [loss, grad] = [sums.loss / sums.count, sums.grad.map((sum) => sum / sums.count)];
    return { epoch: epoch + 1, loss, grad, params, memory, began, from, slope, earlier };
  }
}
