// Update rules: from the params and the gradient to the next params, as torch.optim and gdfit have
// them. What a rule remembers is in `memory`, a plain object, so that it can be copied.

const EPSILON = 1e-8;

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
};

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
    const reached = thresholded(params.map((param, place) => param - lr * grad[place]), lr * l1);
    memory.before = reached;
    return reached.map((param, place) => param + mu * (param - before[place]));
  },
};

/** The update rules of a run with these settings, by name. */
function rulesOf({ l1 }) {
  return l1 ? PROXIMAL : OPTIMIZERS;
}

function proximal(params, grad, memory, { lr, l1 }, mu) {
  const before = memory.before ?? params;
  memory.before = params;
  const ahead = params.map((param, place) => param + mu * (param - before[place]));
  return thresholded(ahead.map((param, place) => param - lr * grad[place]), lr * l1);
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
