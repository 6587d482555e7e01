"""gdfit export."""

from __future__ import annotations

from gdfit.cli.messages import note
from gdfit.cli.options import DEFAULT_MODEL, Language, Model, OutputFile
from gdfit.errors import UsageError


def export(language: Language, model: Model = DEFAULT_MODEL, output: OutputFile = None) -> None:
    """Write the last trained model as what other programs run."""
    from gdfit.files import check_outputs
    from gdfit.model import export as exports
    from gdfit.model.linear import load_model

    if language == "torch" and output is None:
        raise UsageError("`format` torch is no text: name a file with `output`")
    check_outputs([output], inputs=[str(model)])
    trained = load_model(model)
    text = exports.export(trained, language, output)
    if output is None:
        print(text, end="", flush=True)
    remark = exports.remark(trained, language, text)
    if remark:
        note(remark)
