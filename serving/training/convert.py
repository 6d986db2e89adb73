"""Converts a trained model into a model folder to serve.

python -m training.convert --from model.h5 --name NAME --out DIR --classes a,b,c --scale tf

The source is a .keras file, an .h5 file of Keras 2 or 3, or a SavedModel folder. Inputs and outputs keep their names.
For a model that was converted before, it writes model.yaml and the parity samples again, with the given options.
"""

import argparse
from pathlib import Path

from .activation import SCORES
from .conversion import MODEL_FILE, Conversion, Converted, convert
from .model_file import ImageOptions
from .pictures import ENGINES, SCALES

# What no model file says about reading pictures.
READING = ("resize", "engine", "scale")


def _arguments() -> Conversion:
    parser = argparse.ArgumentParser(
        prog="python -m training.convert", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="PATH")
    parser.add_argument("--name", required=True, help="name of the model and its folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of models")
    parser.add_argument(
        "--model-yaml", type=Path, metavar="FILE", help="a model.yaml to use instead of a generated one"
    )
    image = parser.add_argument_group("image models, by what training did")
    image.add_argument("--classes", type=lambda text: text.split(","), help="a,b,c: names of the classes")
    image.add_argument("--scale", choices=SCALES, help="how training scaled pixels; see docs/preprocessing.md")
    methods = dict.fromkeys(method for methods in ENGINES.values() for method in methods)
    image.add_argument("--resize", choices=methods, help="resize method (pillow: nearest; tensorflow: bilinear)")
    image.add_argument("--engine", choices=ENGINES, help="which library resized the pictures (pillow)")
    image.add_argument("--scores", choices=SCORES, help="what the output means (read from the last layer)")
    image.add_argument("--output", help="the output with the scores, of a model with several that fit the classes")
    given = vars(parser.parse_args())
    options = ImageOptions(**{name: given.pop(name) for name in ImageOptions._fields})
    return Conversion(**given, image=options)


def _summary(conversion: Conversion, converted: Converted) -> list[str]:
    """What was written, what was assumed, and what to do next."""
    folder, (difference, described, meaning, no_gradients) = conversion.folder, converted
    lines = [f"{folder}: source, SavedModel and ONNX differ by at most {difference:.1e}"]
    if meaning:
        lines.append(f"scores: {described.get('scores', 'logits')} ({meaning.reason})")
        if described.get("scores", "logits") != meaning.scores:
            lines[-1] = f"scores: {described.get('scores')} by model.yaml, but {meaning.reason}: {meaning.scores}?"
    lines += [f"no integrated gradients from {kind}: {reason}" for kind, reason in no_gradients.items()]
    if "image" not in described:
        return [*lines, "next: tensorgate models list; make run"]
    image = described["image"]
    parity = (folder / "parity").exists()
    lines.append(
        f"pictures: {', '.join(f'{name} {image.get(name)}' for name in READING if name in image)};"
        f" {'unproven until you confirm them' if parity else 'without parity samples, which this preprocessing lacks'}"
    )
    confirm = (
        f", then confirm it: npx tensorgate models prove {conversion.name} --models {conversion.out}" if parity else ""
    )
    return [*lines, f"next: compare `image` in {folder / MODEL_FILE} with what training did{confirm}"]


def main() -> None:
    """Runs the command."""
    conversion = _arguments()
    try:
        converted = convert(conversion)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error
    print("\n".join(_summary(conversion, converted)))


if __name__ == "__main__":
    main()
