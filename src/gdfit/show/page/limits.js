// Which learning rates are stable on a squared loss, and near the minimum of another one that bends.
//
// Along an eigenvector of the Hessian with the eigenvalue λ, an update multiplies the distance to
// the minimum by the roots z of a polynomial in which only γλ and μ stand; it converges where all
// are less than 1 in size (Polyak, Introduction to Optimization, 1987, §1.4 and §3.2).

/**
 * The largest stable learning rate, near the minimum where the loss is no parabola, and how it is
 * written; null where none is known. Up to `calm` nothing overshoots, or where the bends of the loss
 * have a `bound`, gradient descent surely comes down.
 */
function stableLimit({ optimizer, momentum: mu }, { lambda_max: steepest, bound }) {
  if (!(steepest > 0)) return null;
  const [size, text] = {
    gd: [2, "2/λmax"],
    momentum: [2 * (1 + mu), "2(1 + μ)/λmax"],
    nesterov: [(2 + 2 * mu) / (1 + 2 * mu), "(2 + 2μ)/(1 + 2μ)/λmax"],
  }[optimizer] ?? [null];
  if (size === null) return null;
  const calm = optimizer !== "gd" ? size / steepest : bound ? 2 / bound : 1 / steepest;
  return { lr: size / steepest, text, calm };
}

/** What an epoch multiplies the distance to the minimum by along λ, `product` being γλ. */
function factorAlong({ optimizer, momentum: mu }, product) {
  if (optimizer === "gd") return 1 - product;
  const [sum, times] =
    optimizer === "momentum"
      ? [1 + mu - product, mu] // z² − (1 + μ − γλ)z + μ
      : [(1 + mu) * (1 - product), mu * (1 - product)]; // z² − (1 + μ)(1 − γλ)z + μ(1 − γλ)
  const inner = sum * sum - 4 * times;
  if (inner < 0) return Math.sqrt(times);
  const roots = [(sum + Math.sqrt(inner)) / 2, (sum - Math.sqrt(inner)) / 2];
  return Math.abs(roots[0]) > Math.abs(roots[1]) ? roots[0] : roots[1];
}

/** How many epochs bring the params ten times nearer to the minimum in the end; or infinity. */
function epochsPerDigit(settings, { lambda_min: flattest, lambda_max: steepest }) {
  const rates = [flattest, steepest].map((bend) =>
    Math.abs(factorAlong(settings, settings.lr * bend)),
  );
  const rate = Math.max(...rates);
  if (rate >= 1) return Infinity;
  return rate > 0 ? Math.log(10) / -Math.log(rate) : 0;
}
