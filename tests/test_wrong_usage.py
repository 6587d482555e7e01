"""Wrong usage: one line that says what to type instead, status 2, and nothing is done."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from conftest import LECTURE, Gdfit

WRONG_USAGE = {
    "train": "Missing argument 'DATA...'",
    "train --no-such-option": "No such option: --no-such-option",
    # The columns, and how they are written.
    "train DATA --features ''": "--features takes names, A,B, not ''",
    "train DATA --features x,": "--features takes names, A,B, not 'x,'",
    "train DATA --features x,x": "--features names a column twice",
    "train DATA --features x,y": "column 'y' is a feature and the target at once",
    "train DATA --features y": "column 'y' is a feature and the target at once",
    "train DATA --features x --target x": "column 'x' is a feature and the target at once",
    "train DATA --delimiter ab": "--delimiter takes one character, 'tab' or 'space', not 'ab'",
    "train DATA --decimal ';'": "--decimal takes . or a comma, not ';'",
    # Where it starts.
    "train DATA --init ones": "--init takes zeros, random, numbers W,…,B or a model file",
    "train DATA --init 1": "--init takes 2 finite numbers here, one for each of w, b",
    "train DATA --init 1,2,3": "--init takes 2 finite numbers here, one for each of w, b",
    "train DATA --init 1,inf": "--init takes 2 finite numbers here, one for each of w, b",
    "train DATA --seed -1": "--seed takes a number from 0 on, not '-1'",
    # The loss.
    "train DATA --loss hinge": (
        "--loss takes mse, mae, huber, logistic, quantile or FILE.py:NAME, not 'hinge'"
    ),
    "train DATA --huber-delta 0": "--huber-delta takes a positive number, not 0",
    "train DATA --l2 -1": "--l2 takes a number that is not negative, not -1",
    # The descent.
    "train DATA --lr fast": "--lr takes a number, not 'fast'",
    "train DATA --lr automatic": "--lr takes a number, not 'automatic'",
    "train DATA --lr 0": "--lr takes a positive number or auto, not 0",
    "train DATA --lr -1": "--lr takes a positive number or auto, not -1",
    "train DATA --lr inf": "--lr takes a positive number or auto, not inf",
    "train DATA --scale stand": "--scale takes none, standardize or whiten, not 'stand'",
    "train DATA --standardize": "No such option: --standardize",
    "train DATA --epochs 0": "--epochs takes a number from 1 on, not '0'",
    "train DATA --epochs 1.5": "--epochs takes a whole number, not '1.5'",
    "train DATA --epochs 1e-3": "--epochs takes a whole number, not '1e-3'",
    "train DATA --epochs inf": "--epochs takes a whole number, not 'inf'",
    "train DATA --epochs 1e308": "--epochs takes a number below 2^53, some 9e15, not '1e308'",
    "train DATA --skip 99999999999999999999": "--skip takes a number below 2^53, some 9e15, not",
    "train DATA --degree 0": "--degree takes a number from 1 on, not '0'",
    "train DATA --epochs many": "--epochs takes a number, not 'many'",
    "train DATA --backend jax": "--backend takes manual or autograd, not 'jax'",
    "train DATA --optimizer lbfgs": "--optimizer takes gd, momentum, nesterov, adam, adagrad,",
    "train DATA --momentum 1": "--momentum takes a number from 0 on that is less than 1, not 1",
    "train DATA --betas 0.9": "--betas takes two numbers, B1,B2, not '0.9'",
    "train DATA --betas 0.9,1": "--betas takes two numbers from 0 on that are less than 1",
    "train DATA --batch-size 0": "--batch-size takes a number from 1 on, not '0'",
    "train DATA --leap --loss mae": "--leap is for descent on the whole squared error",
    "train DATA --leap --backend autograd": "--leap is for descent on the whole squared",
    "train DATA --leap --optimizer adam": "--leap is for descent on the whole squared error",
    "train DATA --leap --schedule cosine": "--leap is for descent on the whole squared error",
    "train DATA --schedule linear": "--schedule takes constant, step, exponential, inverse or cos",
    "train DATA --schedule step --decay 0": "--decay takes a positive number, not 0",
    "train DATA --schedule step --decay 2": "--decay takes a factor up to 1 with --schedule step",
    "train DATA --optimizer cg --loss mae": "--optimizer cg is for the squared error of all rows",
    "train DATA --optimizer steepest --batch-size 5": "--optimizer steepest is for the squared err",
    "train DATA --optimizer steepest --l1 1": "--optimizer steepest is for the squared error",
    "train DATA --loss mae --panel modes --plot p.png": "--panel modes needs a minimum that is",
    "train DATA --leap --history h.csv": "--history has every epoch, and --leap leaves most of",
    "train DATA --leap --validation 0.2 --patience 5": "--patience looks at the validation loss of",
    # When to stop.
    "train DATA --tol -1": "--tol takes a number that is not negative, not -1",
    "train DATA --target-loss nan": "--target-loss takes a finite number, not nan",
    "train DATA --patience 5": "--patience goes by the validation loss: it needs --validation",
    "train DATA --patience 0 --validation 0.2": "--patience takes a number from 1 on, not '0'",
    "train DATA --validation 0": "--validation takes a fraction between 0 and 1, or a file, not 0",
    "train DATA --validation 1": "--validation takes a fraction between 0 and 1, or a file, not 1",
    "train DATA --validation -0.5": "--validation takes a fraction between 0 and 1, or a file",
    "train - --validation -": "standard input can be read only once",
    "train - -": "standard input can be read only once",
    "path - -": "standard input can be read only once",
    "condense - - --output c.json": "standard input can be read only once",
    "gradcheck - -": "standard input can be read only once",
    # What has no effect.
    "train DATA --momentum 0.5": "--momentum has no effect here: it is for --optimizer mom",
    "train DATA --momentum 0.5 --optimizer adam": "--momentum has no effect here: it is for",
    "train DATA --decay 0.5": "--decay has no effect here: it is for --schedule step, exponential",
    "train DATA --schedule cosine --decay 0.5": "--decay has no effect here: it is for --schedule",
    "compare DATA --lr 1,2 --decay 0.5": "--decay has no effect here: it is for --schedule",
    "train DATA --lr 0.1 --optimizer cg": "--lr has no effect here: --optimizer cg finds the",
    "train DATA --schedule step --optimizer steepest": "--schedule has no effect here: --optimizer",
    "compare DATA --lr 0.1 --optimizer gd,cg": "--lr has no effect here: --optimizer cg finds the",
    "curvature DATA --lr 0.1": "--lr has no effect here: it names runs in --plot",
    "curvature DATA --momentum 0.5,0.9": "--momentum takes one number here, and several",
    "curvature DATA --momentum 1": "--momentum takes a number from 0 on that is less than 1, not 1",
    "curvature DATA --plot p.gif": "--plot takes a file that ends in .png, .svg or .pdf, not",
    "train DATA --optimizer adam --betas 1,1": "--betas takes two numbers from 0 on that are less "
    "than 1, not 1,1",
    "train DATA --betas 0.9,0.99": "--betas has no effect here: it is for --optimizer adam",
    "train DATA --huber-delta 2": "--huber-delta has no effect here: it is for --loss huber",
    "train DATA --huber-delta 1 --loss mae": "--huber-delta has no effect here: it is for",
    "train DATA --format table -q": "--format has no effect here: it does not go with -q",
    "train DATA --every 5 -q": "--every has no effect here: it says which epochs to print",
    "train DATA --show 5 -q": "--show has no effect here: it says which epochs to print",
    "train DATA --x 1 -q": "--x has no effect here: it is for tables and --format json",
    "train DATA --x 1 --format csv": "--x has no effect here: it is for tables and --format json",
    "train DATA --model m.json --no-model": "--model has no effect here: it does not go with",
    "gradcheck DATA --huber-delta 2": "--huber-delta has no effect here: it is for --loss huber",
    "graph DATA --huber-delta 2": "--huber-delta has no effect here: it is for --loss huber",
    # What to print.
    "train DATA --every 0": "--every takes a number from 1 on, not '0'",
    "train DATA --show one": "--show takes epochs from 1 on, as in 1,2-5,10, or all, not 'one'",
    "train DATA --show 0": "--show takes epochs from 1 on, as in 1,2-5,10, or all, not '0'",
    "train DATA --x 1,2": "--x takes a value for each feature (x), not 2",
    "train DATA --x one": "--x takes finite numbers V[,V…], not 'one'",
    "train DATA --x nan": "--x takes finite numbers V[,V…], not 'nan'",
    "train DATA --x 1e999": "--x takes finite numbers V[,V…], not '1e999'",
    "train DATA --format xml": "--format takes table, markdown, latex, json or csv, not 'xml'",
    "train DATA --chart -q": "--chart goes with --format table, and not with -q",
    "train DATA --chart --format json": "--chart goes with --format table, and not with -q",
    # What to write.
    "train DATA --history ''": "an output needs the name of a file",
    "train DATA --history DATA": "'DATA' would be written over",
    "train DATA --history same --model same": "'same' would be written over",
    "train DATA --model -": "an output needs the name of a file, not '-'",
    "train DATA --model DATA": "'DATA' would be written over",
    "train DATA --model p.png --plot p.png": "'p.png' would be written over",
    "train DATA --plot p": "--plot takes a file that ends in .png, .svg or .pdf, not 'p'",
    "train DATA --plot p.gif": "--plot takes a file that ends in .png, .svg or .pdf, not 'p.gif'",
    "train DATA --page p": "--page takes a file that ends in .html or .htm, not 'p'",
    "train DATA --page p.html --plot p.html": "--plot takes a file that ends in .png, .svg or .pdf",
    "train DATA --page p.html --model p.html": "'p.html' would be written over",
    # Other commands.
    "gradcheck DATA --tolerance nan": "--tolerance takes a number that is not negative, not nan",
    "predict": "predict takes --x or DATA",
    "predict DATA --x 1": "predict takes --x or DATA, not both",
    "evaluate": "Missing argument 'DATA...'",
    "summary": "Missing argument 'DATA...'",
    "summary DATA --level 95": "--level takes a number between 0 and 1, as 0.95, not 95",
    "no-such-command": "No such command 'no-such-command'",
}
"""Command lines, and what is said of each. DATA is the lecture's."""


@pytest.mark.parametrize("command", WRONG_USAGE)
def test_wrong_usage_is_one_line_and_status_2(gdfit: Gdfit, command: str) -> None:
    Path("DATA").write_bytes(LECTURE.read_bytes())
    result = gdfit(*shlex.split(command), stdin=b"x,y\n1,3\n2,5\n")
    assert (result.status, result.out) == (2, "")
    assert result.err.count("\n") == 1
    message = result.err.removeprefix("gdfit: error: ")
    expected = WRONG_USAGE[command]
    options_own = f"Invalid value for {expected}"  # as Typer begins it
    assert message.startswith((expected, options_own))
    assert [path.name for path in Path().iterdir()] == ["DATA"]
    assert Path("DATA").read_bytes() == LECTURE.read_bytes()
