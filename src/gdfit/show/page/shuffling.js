// The shuffles of NumPy's default generator, PCG64, and how it is seeded, so that mini-batches are
// those of the run. O'Neill, "PCG: A family of simple fast space-efficient statistically good
// algorithms for random number generation", 2014; and her seed_seq, as numpy.random.SeedSequence.

const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;
const LOW_128 = (1n << 128n) - 1n;
const LOW_64 = (1n << 64n) - 1n;

/** 32-bit words of `entropy` as eight words that are mixed from all of them. */
function seedOf(entropy) {
  let factor = 0x43b0d7e5;
  const hashed = (word) => {
    const value = word ^ factor;
    factor = Math.imul(factor, 0x931e8875);
    return folded(Math.imul(value, factor));
  };
  const mixed = (one, other) =>
    folded(Math.imul(one, 0xca01f9dd) - Math.imul(hashed(other), 0x4973f715));
  const pool = [0, 1, 2, 3].map((place) => hashed(entropy[place] ?? 0));
  for (let from = 0; from < pool.length; from += 1)
    for (let to = 0; to < pool.length; to += 1)
      if (to !== from) pool[to] = mixed(pool[to], pool[from]);
  for (const word of entropy.slice(pool.length))
    for (let to = 0; to < pool.length; to += 1) pool[to] = mixed(pool[to], word);
  let second = 0x8b51f9dd;
  return [...pool, ...pool].map((word) => {
    const value = word ^ second;
    second = Math.imul(second, 0x58f38ded);
    return folded(Math.imul(value, second)) >>> 0;
  });
}

/** 32 bits, the low ones with the high ones folded in. */
function folded(word) {
  return word ^ (word >>> 16);
}

/** 32-bit words as one number, in the order in which PCG64 takes them: of each pair the low first. */
function joined([low, high, lower, higher]) {
  return [high, low, higher, lower].reduce((whole, word) => (whole << 32n) | BigInt(word), 0n);
}

class Shuffling {
  constructor({ entropy, block }) {
    Object.assign(this, { entropy, block });
  }

  /** Begin where the generator that is seeded with `entropy` begins. */
  seed(entropy) {
    const seed = seedOf(entropy);
    this.increment = ((joined(seed.slice(4)) << 1n) | 1n) & LOW_128;
    this.state = this.increment + joined(seed);
    this.half = null;
    this.advance();
  }

  advance() {
    this.state = (this.state * MULTIPLIER + this.increment) & LOW_128;
  }

  /** The order of `count` rows in an epoch: their blocks shuffled, then the rows. */
  order(count, epoch) {
    this.seed([...this.entropy, epoch]);
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
    this.advance();
    const mixed = (this.state >> 64n) ^ (this.state & LOW_64);
    const turn = this.state >> 122n;
    const bits = ((mixed >> turn) | (mixed << ((64n - turn) & 63n))) & LOW_64;
    this.half = Number(bits >> 32n);
    return Number(bits & 0xffffffffn);
  }
}
