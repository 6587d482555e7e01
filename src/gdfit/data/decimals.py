"""The numbers in many fields at once, eight characters of each at a time as an integer of 64 bits.

A decimal number says m / 10^d, m and d whole. Where m ≤ 2^53 and d ≤ 22, both m and 10^d are
float64s as they stand, and IEEE's division gives the nearest float64 to what is said (Clinger,
"How to read floating point numbers accurately", PLDI 1990). Where m has up to 19 digits, division
with a remainder gives it twice as exactly (Dekker, Numerische Mathematik 18, 1971), and says
whether that tells which float64 is the nearest. Eight digits become a number by three
multiplications, each of which joins neighbours: digits to pairs, pairs to fours, fours to eight.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gdfit.arrays import FloatArray
from gdfit.data.blocks import Positions, Text
from gdfit.data.cells import Cells

AT_ONCE = 1 << 16  # fields, so that what is made of them stays in the processor's cache
FEW = 1 << 15  # rows that are not worth reading column by column, though columns are all alike
WORD = 8  # characters
LONGEST = 3 * WORD  # characters of a number that is read here, without its sign

Words = NDArray[np.uint64]

ZERO = ord("0")
MINUS = ord("-") ^ ZERO
ONES = 0x0101010101010101
HIGHEST = np.uint64(0x80 * ONES)  # the highest bit of each character
ABOVE_NINE = np.uint64((0x80 - 10) * ONES)  # what makes it the highest bit of all but digits
LAST = np.array([(1 << 64) - (1 << 8 * (WORD - n)) for n in range(WORD + 1)], np.uint64)
"""Masks of the last 0 to 8 characters of a word, which are its upper bits."""
JOIN = [
    (np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(1 + (10 << 8)), np.uint64(8)),
    (np.uint64(0x00FF00FF00FF00FF), np.uint64(1 + (100 << 16)), np.uint64(16)),
    (np.uint64(0x0000FFFF0000FFFF), np.uint64(1 + (10_000 << 32)), np.uint64(32)),
]
CHARACTER_BITS = np.uint64(0xFF)
CHARACTER, REST, ALL = np.uint64(8), np.uint64(56), np.uint64(64)  # bits of one, of others, of all
POWERS = np.array([10.0**n if n <= 22 else np.nan for n in range(LONGEST + 1)])
"""Those of ten, as far as float64 has them as they are."""
EXACT = 2**53  # up to which float64 has all integers
MOST = 2**64 // 10**16 - 1  # that fits in 64 bits with 16 digits after it


def read_decimals(cells: Cells, mark: str) -> FloatArray:
    """The numbers that fields say with this decimal mark, shape (rows, columns); NaN for a field
    that says anything else, and for a number with an exponent or too many digits to be told here.
    """
    shape = cells.starts.shape if len(cells.starts) > FEW else (cells.starts.size, 1)
    all_starts, all_ends = cells.starts.reshape(shape), cells.ends.reshape(shape)
    values = np.empty(shape)
    for first in range(0, len(values), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        starts, ends = all_starts[rows], all_ends[rows]
        begin, end = int(starts[0, 0]), int(ends[-1, -1])
        text = above_zero(cells.text[begin:end])
        signs = bool((text == MINUS).any())
        for column in range(shape[1]):
            lengths = ends[:, column] - starts[:, column]
            behind = ends[:, column] - (begin - LONGEST)
            values[rows, column] = read_column(text, behind, lengths, mark, signs=signs)
    return values.reshape(cells.starts.shape)


def above_zero(text: Text) -> Text:
    """How much each character of a text is above ``0``, with more before and after, as whole
    words."""
    result = np.zeros(LONGEST + WORD * (len(text) // WORD + 2), np.uint8)
    np.bitwise_xor(text, ZERO, out=result[LONGEST : LONGEST + len(text)])
    return result


def read_column(
    text: Text, ends: Positions, lengths: Positions, mark: str, *, signs: bool
) -> FloatArray:
    """The numbers in the fields of these `lengths` that end at `ends`, in a text as `above_zero`
    makes it; `signs` says whether any may be negative."""
    negative = None
    if signs:
        negative = text.take(ends - lengths) == MINUS
        lengths = lengths - negative
    longest = min(int(lengths.max()), LONGEST)
    words = words_of(text, ends, lengths, max(1, -(-longest // WORD)))
    values = values_of(list(words), lengths, mark)
    if negative is not None:
        np.negative(values, out=values, where=negative)
    return values


def words_of(text: Text, ends: Positions, lengths: Positions, count: int) -> Iterator[Words]:
    """The characters of each field, eight by eight from its end, with zeros in front of it."""
    aligned, shortest = text.view("<u8"), int(lengths.min())
    place, bits = ends >> 3, ((ends & 7) << 3).view(np.uint64)
    behind = aligned.take(place)
    for step in range(count):
        before = aligned.take(place - (step + 1))
        word = (behind << (ALL - bits)) | (before >> bits)
        if shortest < WORD * (step + 1):
            word &= LAST.take(lengths - WORD * step, mode="clip")
        yield word
        behind = before


def values_of(words: list[Words], lengths: Positions, mark: str) -> FloatArray:
    """The numbers that fields say without a sign, by their words from the last to the first."""
    passed = np.zeros(1, np.uint64)  # all bits of those whose mark is in a later word
    after = np.zeros(1, np.uint8)  # bits after the mark
    digits: list[Words] = []
    for word in words:
        point = first_point(word, mark) & ~passed
        found = point != 0
        before = point - found
        behind = ~((point << CHARACTER) - found)
        closed = (word & behind) | ((word & before) << CHARACTER)
        if digits and passed.any():
            digits[-1] |= (word >> REST) & passed
            closed = (closed & ~passed) | ((word << CHARACTER) & passed)
        digits.append(closed)
        after = after + np.bitwise_count(behind & ~passed)
        passed = passed | np.negative(found.astype(np.uint64))
    whole = first = joined(digits[0])
    for step, word in enumerate(digits[1:], 1):
        first = joined(word)
        whole += first * np.uint64(10 ** (WORD * step))
    powers = POWERS.copy()
    powers[WORD * len(digits)] = 1.0  # for those without a mark
    odd = np.zeros(1, bool)
    for word in digits:
        if word.view(np.uint8).max() > 9:
            odd = odd | (((word + ABOVE_NINE) | word) & HIGHEST != 0)
    if lengths.min() < 2 or lengths.max() > LONGEST:
        odd = odd | (lengths + passed.view(np.int64) < 1) | (lengths > LONGEST)
    if len(digits) > 2:
        odd = odd | (first > MOST)
    return nearest(whole, powers.take(after >> 3), odd)


def first_point(word: Words, mark: str) -> Words:
    """The lowest bit of the first character in each word that is the decimal mark, else 0; a single
    one where it is at the same place in all words."""
    others = word ^ np.uint64((ord(mark) ^ ZERO) * ONES)
    point = first_zero(others[:1])
    if point.any() and not np.bitwise_or.reduce(others & (point * CHARACTER_BITS)):
        return point
    points = first_zero(others)
    return points if points.any() else points[:1]


def first_zero(word: Words) -> Words:
    """The lowest bit of the first character in each word that is 0, or else 0."""
    # The highest bit of those that are 0; beyond the first of them it may be wrong.
    zero: Words = (word - np.uint64(ONES)) & ~word & HIGHEST
    return (zero & -zero) >> np.uint64(7)


def nearest(whole: Words, powers: FloatArray, odd: NDArray[np.bool_]) -> FloatArray:
    """The float64 that is nearest to whole / powers; NaN where that is `odd` or uncertain."""
    values: FloatArray = whole / powers
    if whole.max() > EXACT:
        large = np.flatnonzero((whole > EXACT) & ~odd)
        values[large] = divided(whole[large], np.broadcast_to(powers, whole.shape)[large])
    if odd.any():
        values[odd] = np.nan
    return values


def joined(digits: Words) -> Words:
    """The numbers that words of eight digits say."""
    for keep, factor, shift in JOIN:
        digits = ((digits & keep) * factor) >> shift
    return digits


def divided(whole: Words, powers: FloatArray) -> FloatArray:
    """The float64 that is nearest to whole / powers, whole numbers of up to 64 bits; NaN where that
    is too near to the middle of two."""
    high = whole.astype(float)
    low = (whole - high.astype(np.uint64)).view(np.int64).astype(float)
    quotient = high / powers
    product, error = exact_product(quotient, powers)
    remainder = ((high - product) - error) + low
    correction, uncertain = remainder / powers, quotient * 2.0**-90 * (powers > 1)
    value: FloatArray = quotient + (correction - uncertain)
    value[value != quotient + (correction + uncertain)] = np.nan
    return value


def exact_product(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """a·b as a float64 and what is missing from it (Dekker)."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = halves(a), halves(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def halves(a: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two float64s of 26 bits, of which each one of `a` is the sum (Veltkamp)."""
    large = a * (2.0**27 + 1)
    high = large - (large - a)
    return high, a - high
