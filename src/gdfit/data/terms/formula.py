"""R's formulas, another way to write the target and the terms: ``log(y) ~ x + a*b + C(year) - 1``.

    +  adds terms, -  takes them away; a:b is a product, a*b is a + b + a:b, (a + b)^2 is as well
    1  is the intercept, 0 or - 1 leaves it out, and .  is all columns but the target
    I(x^2), I(x*z)  arithmetic; log(x), C(x), year(x) and the like as terms have them; `a name`

It is the notation of Wilkinson and Rogers (Symbolic Description of Factorial Models for Analysis of
Variance, Applied Statistics 22, 1973). A category has a column for each level but the first; for
all of them where the term without it is not in the model, and where there is no intercept the first
one (Chambers and Hastie, Statistical Models in S, 1992, §2.4.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, product
from typing import NamedTuple

from gdfit.data.terms.expansion import Expansion
from gdfit.data.terms.terms import ALL_LEVELS, CATEGORY, FUNCTIONS, Table, Term, read_term
from gdfit.data.text.dialect import Selection
from gdfit.dates import DATE_PARTS
from gdfit.errors import UsageError, quoted

TOKEN = re.compile(
    r"\s*(?:(?P<name>`[^`]+`|[^\W\d]\w*(?:\.\w+)*)|(?P<number>\d+(?:\.\d+)?)|(?P<sign>\S))"
)
CATEGORIES = (CATEGORY, "factor", "as.factor")

Variables = frozenset[str]
"""The variables of a term, each a term by itself; none of the intercept's."""

INTERCEPT, NO_INTERCEPT = Variables(), Variables({"0"})


class Token(NamedTuple):
    """A name, a number or a sign, and where it stands."""

    kind: str
    text: str
    place: int


class Formula(NamedTuple):
    """What a formula says: the target, the terms as `read_term` takes them, and whether there is an
    intercept."""

    target: str
    terms: tuple[str, ...]
    intercept: bool


class FormulaReader:
    """Reads a formula from left to right.

    table : the columns that it names.
    others : those that a point stands for, the target not among them.
    """

    def __init__(self, text: str, table: Table, others: Sequence[str]) -> None:
        self.text, self.table, self.others = text, table, others
        self.tokens = [
            Token(
                found.lastgroup or "",
                found[found.lastgroup or 0],
                found.start(found.lastgroup or 0),
            )
            for found in TOKEN.finditer(text)
        ]
        self.order: dict[str, int] = {}  # in which variables are named
        self.at = 0

    def fault(self, what: str, token: Token | None = None) -> UsageError:
        """That something is wrong at a token, by default the one that is next."""
        token = token or self.next
        where = f"character {token.place + 1}, {token.text!r}" if token.text else "the end"
        return UsageError(f"`formula` {quoted(self.text)}, at {where}: {what}")

    @property
    def next(self) -> Token:
        """The token that is next; an empty one at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else Token("", "", len(self.text))

    def takes(self, *signs: str) -> str:
        """One of the `signs`, if it is next."""
        token = self.next
        if token.kind == "sign" and token.text in signs:
            self.at += 1
            return token.text
        return ""

    def expects(self, sign: str) -> None:
        """The `sign`, which has to be next."""
        if not self.takes(sign):
            raise self.fault(f"{sign!r} is missing")

    def formula(self) -> Formula:
        """All of it."""
        target = self.variable()
        self.expects("~")
        own = {factor.column for factor in read_term(target, self.table).factors}
        self.others = [name for name in self.others if name not in own]
        found = self.sum([INTERCEPT])
        if self.takes("/", "%"):
            self.at -= 1
            raise self.fault("nesting, a/b and b %in% a, is not there: a + a:b says the same")
        if self.at < len(self.tokens):
            raise self.fault("a sign is expected: + - : * ^")
        intercept = INTERCEPT in found
        terms = sorted((term for term in found if term), key=len)
        if not terms:
            raise UsageError(f"`formula` {quoted(self.text)} names no column to predict from")
        return Formula(target, tuple(self.coded(terms, intercept=intercept)), intercept)

    def sum(self, terms: list[Variables]) -> list[Variables]:
        """Terms that are added to others, and taken away."""
        sign = self.takes("+", "-") or "+"
        while sign:
            more = self.crossing()
            if (sign == "-") != (more == [NO_INTERCEPT]):
                gone = [INTERCEPT] if more == [NO_INTERCEPT] else more
                terms = [term for term in terms if term not in gone]
            else:
                terms = each_once(terms, [INTERCEPT] if more == [NO_INTERCEPT] else more)
            sign = self.takes("+", "-")
        return terms

    def crossing(self) -> list[Variables]:
        """Terms, and with * their products."""
        terms = self.products()
        while self.takes("*"):
            more = self.products()
            terms = each_once(terms, more, crossed(terms, more))
        return terms

    def products(self) -> list[Variables]:
        """Products of terms."""
        terms = self.power()
        while self.takes(":"):
            terms = crossed(terms, self.power())
        return terms

    def power(self) -> list[Variables]:
        """Terms in brackets with all products of so many of them."""
        first = self.next
        terms = self.primary()
        if not self.takes("^"):
            return terms
        exponent = self.next
        if exponent.kind != "number" or not exponent.text.isdigit() or int(exponent.text) < 1:
            raise self.fault("a whole number from 1 on is expected")
        if len(terms) == 1:
            base = self.text[first.place : self.tokens[self.at - 1].place].strip()
            what = f"is {base} itself in a formula, as in R"
            raise self.fault(f"{base}^{exponent.text} {what}; I(…) takes powers", first)
        self.at += 1
        found = terms
        for _ in range(int(exponent.text) - 1):
            found = each_once(found, crossed(found, terms))
        return found

    def primary(self) -> list[Variables]:
        """A sum in brackets, a point, 1 or 0, or a variable."""
        token = self.next
        if self.takes("("):
            terms = self.sum([])
            self.expects(")")
            return terms
        if self.takes("."):
            return self.alone(*self.others)
        if token.kind == "number":
            if token.text not in ("0", "1"):
                raise self.fault("0 or 1 is expected, for the intercept")
            self.at += 1
            return [INTERCEPT if token.text == "1" else NO_INTERCEPT]
        return self.alone(self.variable())

    def variable(self) -> str:
        """A column, or a function of one, as a term."""
        token = self.next
        if token.kind != "name":
            is_open = token.text == "`"
            raise self.fault("this ` has no other one" if is_open else "a column is expected")
        self.at += 1
        following = self.next
        if following.text != "(" or token.text.startswith("`"):
            return self.column(token)
        self.at += 1
        function = token.text
        if function == "I":
            text = self.arithmetic()
        elif function in (*CATEGORIES, *FUNCTIONS, *DATE_PARTS):
            called = CATEGORY if function in CATEGORIES else function
            inner = self.next
            self.at += 1
            if inner.kind != "name":
                raise self.fault("a column is expected", inner)
            text = f"{called}({self.column(inner)})"
        else:
            there = ", ".join(("I", *FUNCTIONS, *DATE_PARTS, *CATEGORIES))
            raise self.fault(f"there is no such function; there are {there}", token)
        self.expects(")")
        return text

    def arithmetic(self) -> str:
        """A product of powers."""
        factors = []
        while True:
            factor = self.variable()
            if self.takes("^"):
                if not self.next.text.isdigit():
                    raise self.fault("a whole number is expected")
                factor, self.at = f"{factor}^{self.next.text}", self.at + 1
            factors.append(factor)
            if not self.takes("*"):
                break
        if self.next.text != ")":
            raise self.fault("I(…) takes products and powers alone, as x^2 and x*z")
        return ":".join(factors)

    def column(self, token: Token) -> str:
        """The column that a token names."""
        name = token.text.strip("`")
        found = self.table.find(name)
        if found is None:
            where = f"character {token.place + 1} of `formula` {quoted(self.text)}"
            raise self.table.missing(name, f": {where}")
        return found

    def coded(self, terms: Sequence[Variables], *, intercept: bool) -> Iterator[str]:
        """The terms as texts, with all levels of a category where that is its coding."""
        is_first = not intercept
        for term in terms:
            texts = []
            for variable in sorted(term, key=self.order.__getitem__):
                margin = term - {variable}
                is_category = bool(read_term(variable, self.table).categories)
                lacks_margin = bool(margin) and margin not in terms
                if is_category and (lacks_margin or is_first):
                    is_first = False
                    variable = f"{ALL_LEVELS}({variable})"
                texts.append(variable)
            yield ":".join(texts)

    def alone(self, *variables: str) -> list[Variables]:
        """Each of the variables as a term."""
        for variable in variables:
            self.order.setdefault(variable, len(self.order))
        return [Variables({variable}) for variable in variables]


def each_once(*several: Sequence[Variables]) -> list[Variables]:
    """Each term once."""
    return [*dict.fromkeys(chain(*several))]


def crossed(terms: Sequence[Variables], others: Sequence[Variables]) -> list[Variables]:
    """The products of each with each."""
    return each_once([term | other for term, other in product(terms, others)])


def read_formula(text: str, table: Table, columns: Sequence[str]) -> Formula:
    """What a formula says of the `columns` in a table.

    Raises
    ------
    UsageError : it is none; the character is told.
    GdfitError : there is no such column.
    """
    return FormulaReader(text, table, columns).formula()


def in_terms(selection: Selection, formula: str, table: Table, offered: Sequence[str]) -> Selection:
    """The selection that a formula says.

    Raises
    ------
    UsageError : the selection says so, too.
    """
    for option in ("features", "target", "degree", "intercept"):
        if getattr(selection, option) != getattr(Selection, option):
            raise UsageError(f"`formula` says what `{option}` would: take one of them")
    target, terms, intercept = read_formula(formula, table, offered)
    return replace(selection, features=terms, target=target, intercept=intercept, formula=None)


def levels_left_out(expansion: Expansion) -> Iterator[tuple[Term, str]]:
    """Terms in which a category has no column for its first level, and nothing else stands for it:
    the term without the category is not there; and the category's name."""
    terms = {frozenset(term.factors) for term in expansion.terms}
    lacks_one = not expansion.intercept
    for term in expansion.terms:
        for category in term.categories:
            margin = frozenset(term.factors) - {category}
            lacks_margin = bool(margin) and margin not in terms
            if (lacks_margin or lacks_one) and not category.all_levels:
                yield term, category.column
            lacks_one = False
