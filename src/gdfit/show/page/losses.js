// The losses of one observation, as gdfit has them (losses.py), and what the page says of each.

const AT_KINK = 2 ** -40; // a residual that is this part of its terms: see gdfit's losses.py

/**
 * By name, what makes of the settings a loss ℓ(z, y), z being w·x + b:
 *
 * value, slope : ℓ and ∂ℓ/∂z.
 * hasKink : whether the slope jumps at z = y, so that a residual that is rounding must be 0.
 * mean, symbol : where there is a link, what makes ŷ of z, and what people call that.
 * text, slopeText : ℓ and ∂ℓ/∂z, written.
 * lowest : of its level sets over (w, b), the lowest that is drawn, as a part of the highest.
 * free : what to say of learning rates where no limit is known.
 */
const LOSSES = {
  mse: () => ({
    ...ofResidual((r) => r * r, (r) => 2 * r),
    text: "(ŷ − y)²",
    slopeText: "2(ŷ − y)",
    lowest: 1e-5,
  }),
  mae: () => ({
    ...ofResidual(Math.abs, Math.sign),
    hasKink: true,
    text: "|ŷ − y|",
    slopeText: "sign(ŷ − y)",
    lowest: 3e-3,
    free: "The slope of |ŷ − y| is as large near the minimum as far away, so the steps don't become shorter: in the end the params hover around the minimum, the nearer the smaller γ is.",
  }),
  huber: ({ huber_delta: delta }) => {
    const cut = (r) => Math.min(Math.max(r, -delta), delta);
    const value = (r) => {
      const q = Math.min(Math.abs(r), delta);
      return q * (Math.abs(r) - 0.5 * q);
    };
    return {
      ...ofResidual(value, cut),
      text: "Huber(ŷ − y)",
      slopeText: `(ŷ − y, cut at ±${brief(delta)})`,
      lowest: 1e-4,
      free: "Huber's loss bends near the minimum only; far away its slope, and with it the step, is always the same.",
    };
  },
  quantile: ({ quantile: tau }) => {
    const tilt = tau - 0.5;
    return {
      ...ofResidual(
        (r) => 0.5 * Math.abs(r) - tilt * r,
        (r) => 0.5 * Math.sign(r) - tilt * Math.abs(Math.sign(r)),
      ),
      hasKink: true,
      text: `(${brief(tau)}(y − ŷ) below y, ${brief(1 - tau)}(ŷ − y) above)`,
      slopeText: `(${MINUS}${brief(tau)} below y, ${brief(1 - tau)} above)`,
      lowest: 3e-3,
      free: "The slope of the loss is as large near the minimum as far away, so the steps don't become shorter: in the end the params hover around the minimum, the nearer the smaller γ is.",
    };
  },
  logistic: () => {
    const mean = (z) => {
      const small = Math.exp(-Math.abs(z));
      return (z < 0 ? small : 1) / (1 + small);
    };
    return {
      value: (z, y) => Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0) - y * z,
      slope: (z, y) => mean(z) - y,
      mean,
      symbol: "σ",
      text: "(log(1 + eᶻ) − y·z)",
      slopeText: "(ŷ − y)",
      lowest: 1e-4,
      free: "A line or a plane separates the classes: the loss has no minimum, and falls for ever as the params grow.",
    };
  },
};

/** A loss that is of r = z − y alone. */
function ofResidual(value, slope) {
  return { value: (z, y) => value(z - y), slope: (z, y) => slope(z - y) };
}

/** The loss of the settings; without a link ŷ is z. */
function lossOf(settings) {
  return { mean: (z) => z, symbol: "", ...LOSSES[settings.loss](settings) };
}
