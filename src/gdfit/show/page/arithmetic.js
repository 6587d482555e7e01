// An epoch written out: the loss, the gradient, and the update with its numbers.

const LINES = 60; // params are written out; of more, the first ones

const ON_SCALE = {
  standardize: "for the standardized features: the line is in the data's own units",
  whiten: "for the whitened features, mixtures of all: the fit is in the data's own units",
};

class ArithmeticView {
  constructor() {
    const part = (name) => document.querySelector(`#sums .${name}`);
    this.heading = document.querySelector("#sums h2");
    [this.loss, this.gradient, this.update] = ["loss", "gradient", "update"].map(part);
    this.names = paramNames(run).map((name) => named(name, 20));
  }

  draw({ settings, epoch, step, began, descent }) {
    const units = settings.scale === "none" ? [] : [[["quiet", ON_SCALE[settings.scale]]]];
    if (epoch === descent.first) {
      say(this.heading, `Epoch ${counted(epoch)} is the start`);
      this.fill(this.loss, [
        [
          ["", "the loss before the first update: "],
          ["result", short(began.loss)],
        ],
        [["", "and the params:"]],
        ...this.starts(step.params),
        ...units,
      ]);
      this.fill(this.gradient, [[["", "∇L says how the loss changes with each param"]]]);
      this.fill(this.update, [[["", "play, or go an epoch forward, to see the first update"]]]);
      return;
    }
    const { batch_size: size } = settings;
    const hasBatches = isBatched(settings);
    say(this.heading, `Epoch ${counted(epoch)}, written out`);
    const penalties = penaltiesOf(settings);
    const penalty = penalties && ` + ${penalties}`;
    const of = hasBatches
      ? "the mean over the epoch's mini-batches"
      : "at the params before the update";
    this.fill(this.loss, [
      [
        ["", `L = ${MEAN} ${LOSS.text}${penalty} = `],
        ["result", short(step.loss)],
      ],
      ...(LOSS.symbol ? [[["", `ŷ = ${linked("z")}, z = w·x${run.intercept ? " + b" : ""}`]]] : []),
      [["quiet", of]],
    ]);
    this.fill(this.gradient, this.slopes(settings, step, hasBatches));
    const lines = this.names
      .slice(0, LINES)
      .map((name, place) => this.updateOf(name, place, settings, step));
    if (this.names.length > LINES)
      lines.push([["quiet", `… and ${counted(this.names.length - LINES)} more`]]);
    if (settings.optimizer === "cg")
      lines.push([["quiet", "along −∇L and the direction before it"]]);
    if (hasBatches)
      lines.push([
        ["quiet", `the last of the epoch's updates, one for each mini-batch of ${counted(size)}`],
      ]);
    lines.push(...units);
    this.fill(this.update, lines);
  }

  starts(params) {
    return this.names.slice(0, LINES).map((name, place) => [
      ["name", name],
      ["", " = "],
      ["result", short(params[place])],
    ]);
  }

  slopes({ l2, l1 }, { slope }, hasBatches) {
    const inner = LOSS.slopeText;
    const quiet = hasBatches
      ? "of the last mini-batch"
      : `by the chain rule, the ${MEAN} over the observations`;
    const last = slope.length - 1;
    const weight = (name, feature, place) => [
      ["", "∂L/∂"],
      ["name", name],
      ["", ` = ${MEAN} ${inner} · ${feature}${l2 ? ` + 2 · ${brief(l2)} · ${name}` : ""} = `],
      ["grad", short(slope[place])],
    ];
    const lines =
      last === 1
        ? [weight("w", named(run.features[0], 16), 0)]
        : [
            [
              [
                "",
                `∂L/∂w = ${MEAN} ${inner} · x${l2 ? ` + 2 · ${brief(l2)} · w` : ""} for each feature x`,
              ],
            ],
          ];
    if (run.intercept)
      lines.push([
        ["", "∂L/∂"],
        ["name", "b"],
        ["", ` = ${MEAN} ${inner} = `],
        ["grad", short(slope[last])],
        ["", ""],
      ]);
    lines.push([["quiet", l1 ? `${quiet}, without ‖w‖₁: a threshold S stands for it` : quiet]]);
    return lines;
  }

  /** w ← 0.39 − 0.01 · 0.42 = 0.3858, for one param. */
  updateOf(name, place, settings, { from, params, slope, memory, earlier, rate: lr }) {
    const { optimizer, momentum: mu, betas, l1 } = settings;
    const grad = ["grad", operand(slope[place])];
    if (l1)
      return this.proximalUpdateOf(
        name,
        place,
        settings,
        { from, params, memory, earlier, rate: lr },
        grad,
      );
    const velocity = (before) => ["grad", operand(before.velocity[place])];
    let way = [grad];
    if (optimizer === "momentum" && earlier.velocity) {
      way = [["", `(${brief(mu)} · `], velocity(earlier), ["", " + "], grad, ["", ")"]];
    }
    if (optimizer === "nesterov") {
      way = [["", "("], grad, ["", ` + ${brief(mu)} · `], velocity(memory), ["", ")"]];
    }
    if (optimizer === "adam") {
      const mean = memory.mean[place] / (1 - betas[0] ** memory.time);
      const square = memory.square[place] / (1 - betas[1] ** memory.time);
      way = [
        ["grad", operand(mean)],
        ["", " / (√"],
        ["grad", operand(square)],
        ["", " + 10⁻⁸)"],
      ];
    }
    if (optimizer === "adagrad" || optimizer === "rmsprop") {
      const size = (memory.sum ?? memory.square)[place];
      way = [grad, ["", " / √"], ["grad", operand(size)]];
    }
    if (LINE_SEARCHES.includes(optimizer)) way = [["grad", operand(-memory.direction[place])]];
    return [
      ["name", name],
      ["", " ← "],
      ["", short(from[place])],
      ["", ` ${MINUS} `],
      ["gamma", brief(lr)],
      ["", " · "],
      ...way,
      ["", " = "],
      ["result", short(params[place])],
    ];
  }

  /** w ← S(0.39 − 0.01 · 0.42) = 0.3858, S the threshold at γλ₁, which leaves b as it is. */
  proximalUpdateOf(name, place, settings, { from, params, memory, earlier, rate: lr }, grad) {
    const { optimizer, momentum, l1 } = settings;
    const isWeight = place < run.features.length;
    const [open, close] = isWeight ? [`S(`, `)`] : ["", ""];
    const before = (earlier.before ?? from)[place];
    const ahead =
      optimizer === "momentum"
        ? ` + ${brief(momentum)} · (${short(from[place])} − ${operand(before)})`
        : "";
    const line = [
      ["name", name],
      ["", ` ← ${open}${short(from[place])}${ahead} ${MINUS} `],
      ["gamma", brief(lr)],
      ["", " · "],
      grad,
      ["", `${close} = `],
    ];
    const threshold = isWeight ? [["quiet", `, S: ${brief(lr * l1)} nearer to 0`]] : [];
    if (optimizer !== "nesterov") return [...line, ["result", short(params[place])], ...threshold];
    const reached = short(memory.before[place]);
    line[0] = ["name", `u of ${name}`];
    return [
      ...line,
      ["result", reached],
      ...threshold,
      ["", "; "],
      ["name", name],
      ["", ` ← ${reached} + ${brief(momentum)} · (${reached} − ${operand(before)}) = `],
      ["result", short(params[place])],
    ];
  }

  /** Lines of pieces, each of a kind and a text. */
  fill(holder, lines) {
    holder.replaceChildren(
      ...lines.map((pieces) =>
        element(
          "p",
          {},
          ...pieces.map(([kind, text]) => (kind ? element("span", { class: kind }, text) : text)),
        ),
      ),
    );
  }
}
