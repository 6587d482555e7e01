// Update rules: from the params and the gradient to the next params, as torch.optim and gdfit have
// them. What a rule remembers is in `memory`, a plain object, so that it can be copied.

const EPSILON = 1e-8; // of adam and rmsprop
const ADAGRAD_EPSILON = 1e-10;
const SMOOTHING = 0.99; // α of rmsprop
const LINE_SEARCHES = ["steepest", "cg"]; // find their learning rate in each epoch

const OPTIMIZERS = {
  /** θ ← θ − γ∇L. */
  gd: (params, grad, memory, { lr }) => params.map((param, place) => param - lr * grad[place]),

  /** v ← μv + ∇L, θ ← θ − γv; v starts as the first gradient. */
  momentum: (params, grad, memory, { lr, momentum: mu }) => {
    accelerate(grad, memory, mu);
    return params.map((param, place) => param - lr * memory.velocity[place]);
  },

  /** v ← μv + ∇L, θ ← θ − γ(∇L + μv). */
  nesterov: (params, grad, memory, { lr, momentum: mu }) => {
    accelerate(grad, memory, mu);
    return params.map((param, place) => param - lr * (grad[place] + mu * memory.velocity[place]));
  },

  /** m ← β₁m + (1 − β₁)∇L, v ← β₂v + (1 − β₂)∇L², θ ← θ − γ m̂/(√v̂ + ε). */
  adam: (params, grad, memory, { lr, betas: [first, second] }) => {
    const { mean, square, time } = memory.time
      ? memory
      : { mean: grad.map(() => 0), square: grad.map(() => 0), time: 0 };
    memory.time = time + 1;
    memory.mean = mean.map((value, place) => first * value + (1 - first) * grad[place]);
    memory.square = square.map(
      (value, place) => second * value + (1 - second) * grad[place] * grad[place],
    );
    const root = Math.sqrt(1 - second ** memory.time);
    const rate = lr / (1 - first ** memory.time);
    return params.map(
      (param, place) =>
        param - (rate * memory.mean[place]) / (Math.sqrt(memory.square[place]) / root + EPSILON),
    );
  },

  /** s ← s + ∇L², θ ← θ − γ∇L/(√s + ε). */
  adagrad: (params, grad, memory, { lr }) => {
    const before = memory.sum;
    memory.sum = grad.map((value, place) => (before ? before[place] : 0) + value * value);
    return params.map(
      (param, place) =>
        param - (lr * grad[place]) / (Math.sqrt(memory.sum[place]) + ADAGRAD_EPSILON),
    );
  },

  /** v ← αv + (1 − α)∇L², θ ← θ − γ∇L/(√v + ε). */
  rmsprop: (params, grad, memory, { lr }) => {
    const before = memory.square;
    memory.square = grad.map(
      (value, place) => SMOOTHING * (before ? before[place] : 0) + (1 - SMOOTHING) * value * value,
    );
    return params.map(
      (param, place) => param - (lr * grad[place]) / (Math.sqrt(memory.square[place]) + EPSILON),
    );
  },

  /** θ ← θ + γd, γ = −dᵀ∇L/dᵀHd, which leads to the lowest point along d = −∇L. */
  steepest: (params, grad, memory, { bend }) => alongLine(params, grad, memory, bend, 0),

  /** The same along d ← −∇L + βd, β = ‖∇L‖² as a part of the one before. */
  cg: (params, grad, memory, { bend }) =>
    alongLine(params, grad, memory, bend, memory.square ? dot(grad, grad) / memory.square : 0),
};

function alongLine(params, grad, memory, bend, beta) {
  const before = memory.direction;
  const direction = grad.map((value, place) => (beta ? beta * before[place] - value : -value));
  const bent = bend(direction);
  const rate = bent > 0 ? -dot(direction, grad) / bent : 0;
  Object.assign(memory, { direction, square: dot(grad, grad), rate });
  return params.map((param, place) => param + rate * direction[place]);
}

// Schedules: by which factor the learning rate has fallen in epoch t, as gdfit's schedules.py.
const STAGES = 10; // of a run that falls by steps
const DECAYS = { step: 0.5, exponential: 0.99, inverse: 0.25 };
const SCHEDULES = {
  constant: () => 1,
  step: (epoch, last, decay) => decay ** Math.floor((epoch - 1) / Math.ceil(last / STAGES)),
  exponential: (epoch, last, decay) => decay ** (epoch - 1),
  inverse: (epoch, last, decay) => epoch ** -decay,
  cosine: (epoch, last) => (1 + Math.cos((Math.PI * (epoch - 1)) / last)) / 2,
};

/** The learning rate of an epoch, in a run that ends with the epoch `last`. */
function rateIn(epoch, last, { lr, schedule = "constant", decay }) {
  if (schedule === "constant") return lr;
  return lr * SCHEDULES[schedule](epoch, last, decay ?? DECAYS[schedule]);
}

/**
 * The same with λ₁‖w‖₁, for those that a threshold goes with: S takes γλ₁ off each weight, or what
 * there is of it. θ ← S(θ + μ(θ − θ₋) − γ∇L); nesterov: u ← S(θ − γ∇L), θ ← u + μ(u − u₋).
 */
const PROXIMAL = {
  gd: (params, grad, memory, settings) => proximal(params, grad, memory, settings, 0),
  momentum: (params, grad, memory, settings) =>
    proximal(params, grad, memory, settings, settings.momentum),
  nesterov: (params, grad, memory, { lr, l1, momentum: mu }) => {
    const before = memory.before ?? params;
    const reached = thresholded(
      params.map((param, place) => param - lr * grad[place]),
      lr * l1,
    );
    memory.before = reached;
    return reached.map((param, place) => param + mu * (param - before[place]));
  },
};

/** The update rules of a run with these settings, by name. */
function rulesOf({ l1, loss, batch_size: size }) {
  if (l1) return PROXIMAL;
  if (loss === "mse" && !size) return OPTIMIZERS;
  const { steepest, cg, ...others } = OPTIMIZERS; // which are for a parabola
  return others;
}

function proximal(params, grad, memory, { lr, l1 }, mu) {
  const before = memory.before ?? params;
  memory.before = params;
  const ahead = params.map((param, place) => param + mu * (param - before[place]));
  return thresholded(
    ahead.map((param, place) => param - lr * grad[place]),
    lr * l1,
  );
}

function thresholded(params, most) {
  const last = params.length - 1; // b, which stays as it is
  return params.map((param, place) =>
    place === last ? param : param - Math.min(Math.max(param, -most), most),
  );
}

function accelerate(grad, memory, mu) {
  const before = memory.velocity;
  memory.velocity = before ? before.map((value, place) => mu * value + grad[place]) : grad.slice();
}
