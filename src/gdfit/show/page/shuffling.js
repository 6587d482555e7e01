// The shuffles of NumPy's default generator, PCG64, so that mini-batches are those of the run.
// O'Neill, "PCG: A family of simple fast space-efficient statistically good algorithms for random
// number generation", 2014.

const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const LOW_128 = (1n << 128n) - 1n;
const LOW_64 = (1n << 64n) - 1n;

class Shuffling {
  constructor({ state, increment, block }) {
    Object.assign(this, { state: BigInt(state), increment: BigInt(increment), block, half: null });
  }

  /** Where it stands, and how to go back there. */
  get position() {
    return { state: this.state, half: this.half };
  }

  set position({ state, half }) {
    this.state = state;
    this.half = half;
  }

  /** The order of `count` rows in the next epoch: their blocks shuffled, then the rows. */
  order(count) {
    const starts = [];
    for (let start = 0; start < count; start += this.block) starts.push(start);
    const rows = [];
    for (const start of this.shuffled(starts)) {
      for (let row = start; row < Math.min(start + this.block, count); row += 1) rows.push(row);
    }
    return Int32Array.from(this.shuffled(rows));
  }

  /** Fisher and Yates's shuffle, from the end. */
  shuffled(items) {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = this.upTo(last);
      [items[last], items[other]] = [items[other], items[last]];
    }
    return items;
  }

  /** A whole number from 0 to `most`: the low bits, drawn again where they are more. */
  upTo(most) {
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const drawn = (this.next() & mask) >>> 0;
      if (drawn <= most) return drawn;
    }
  }

  /** 32 random bits: the low half of 64, then the high one. */
  next() {
    if (this.half !== null) {
      const high = this.half;
      this.half = null;
      return high;
    }
    this.state = (this.state * MULTIPLIER + this.increment) & LOW_128;
    const mixed = (this.state >> 64n) ^ (this.state & LOW_64);
    const turn = this.state >> 122n;
    const bits = ((mixed >> turn) | (mixed << ((64n - turn) & 63n))) & LOW_64;
    this.half = Number(bits >> 32n);
    return Number(bits & 0xffffffffn);
  }
}
