"""The training as a Kubeflow pipeline: split, tune, train, export, evaluate, push-and-wait.

    python -m training.pipeline compile pipeline.yaml --image IMAGE
    python -m training.pipeline run --data-path DIR --models-path DIR --epochs 1

Only the source of each component function goes into the YAML, so each has its own imports. The functions call this
package, which the image must contain together with the gateway and Node.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kfp import compiler, dsl, local
from kfp.dsl import Artifact, ClassificationMetrics, Dataset, Input, Metrics, Model, Output

from .settings import NAME
from .store import tracking_uri

SERVING = Path(__file__).resolve().parents[1]
IMAGE = "tensorgate-training-python:latest"
# How to parse a command-line parameter of each kfp type.
READERS: dict[str, Callable[[str], Any]] = {"String": str, "Integer": int}


def split(data_path: str, settings: str, models_path: str, model_name: str, photos: Output[Dataset]) -> str:
    """Copies the photos into one folder per part, for the later steps. Returns the fingerprint of the data.

    Raises ValueError if the model has other classes.
    """
    import json
    import shutil
    from itertools import product
    from pathlib import Path

    from training.data import data_sha256
    from training.names import name_of
    from training.settings import settings_for
    from training.split import PARTS, split_photos

    found = split_photos(Path(data_path), settings_for(**json.loads(settings)).split)
    name_of(Path(data_path), found.classes, Path(models_path), model_name)
    # Every class needs a folder, even without photos in a part.
    for part, name in product(PARTS, found.classes):
        (Path(photos.path) / part / name).mkdir(parents=True, exist_ok=True)
    for photo in found.photos:
        shutil.copyfile(photo.path, Path(photos.path) / photo.part / photo.path.parent.name / photo.path.name)
    photos.metadata |= {part: len(members) for part, members in zip(PARTS, found.parts, strict=True)}
    return data_sha256(found.photos)


def tune(
    photos: Input[Dataset],
    settings: str,
    epochs: int,
    trials: int,
    trial_epochs: int,
    tracking_uri: str,
    chosen: Output[Artifact],
) -> None:
    """Writes settings.json: the best settings of the search, or the given settings if `trials` is 0.

    `epochs`: 0 for those of the architecture.
    """
    import json
    import os
    from dataclasses import asdict
    from pathlib import Path

    from training.json_file import write_json
    from training.pretrained import with_architecture
    from training.schedule import with_epochs
    from training.settings import settings_for
    from training.split import split_photos
    from training.tune import search
    from training.tune_report import BEST
    from training.tune_trial import TUNE

    if tracking_uri:
        os.environ["MLFLOW_TRACKING_URI"] = tracking_uri
    given, best, work = with_architecture(json.loads(settings)), {}, Path(chosen.path)
    if trials:
        search(Path(photos.path), work, settings_for(**{**given, "epochs": trial_epochs}), trials, jobs=1)
        best = json.loads((work / TUNE / BEST).read_text())
    work.mkdir(parents=True, exist_ok=True)
    found = settings_for(**{**given, **best, **({"epochs": epochs} if epochs else {})})
    write_json(work / "settings.json", asdict(with_epochs(found, len(split_photos(Path(photos.path)).train))))


def train(
    photos: Input[Dataset],
    sha256: str,
    chosen: Input[Artifact],
    model_name: str,
    tracking_uri: str,
    weights: Output[Model],
) -> None:
    """Trains with the chosen settings. The artifact is the work folder with the best weights."""
    import json
    import os
    from pathlib import Path

    from training.settings import settings_for
    from training.track import start_run
    from training.train import train

    if tracking_uri:
        os.environ["MLFLOW_TRACKING_URI"] = tracking_uri
    settings, work = settings_for(**json.loads((Path(chosen.path) / "settings.json").read_text())), Path(weights.path)
    with start_run(settings, work, sha256, model=model_name) as run:
        train(Path(photos.path), work, settings, run.log_epoch)


def export(
    photos: Input[Dataset], chosen: Input[Artifact], weights: Input[Model], model_name: str, candidate: Output[Model]
) -> None:
    """Writes the version in both formats, with its parity samples."""
    import json
    import shutil
    from pathlib import Path

    from training.finish import Job, export_candidate
    from training.settings import settings_for
    from training.work import CHECKPOINTS

    settings, work = settings_for(**json.loads((Path(chosen.path) / "settings.json").read_text())), Path(candidate.path)
    shutil.copytree(weights.path, work, ignore=shutil.ignore_patterns(CHECKPOINTS), dirs_exist_ok=True)
    export_candidate(Job(Path(photos.path), work, work, settings, model_name))


def evaluate(
    photos: Input[Dataset],
    sha256: str,
    chosen: Input[Artifact],
    candidate: Input[Model],
    models_path: str,
    model_name: str,
    tracking_uri: str,
    judged: Output[Model],
    figures: Output[Metrics],
    confusion: Output[ClassificationMetrics],
) -> str:
    """Evaluates the exported version against the current one. Returns the gate's decision."""
    import json
    import os
    import shutil
    from pathlib import Path

    from training.finish import Job, evaluate_candidate, judge_candidate
    from training.gate import alias_of, sentences
    from training.settings import VERSION, settings_for
    from training.track import lineage_of, start_run

    if tracking_uri:
        os.environ["MLFLOW_TRACKING_URI"] = tracking_uri
    settings, work = settings_for(**json.loads((Path(chosen.path) / "settings.json").read_text())), Path(judged.path)
    shutil.copytree(candidate.path, work, dirs_exist_ok=True)
    job = Job(Path(photos.path), work, Path(models_path), settings, model_name)
    evaluate_candidate(job)
    with start_run(settings, work, sha256, model=model_name) as run:
        evaluation = judge_candidate(job, lineage_of(run, settings, sha256))
        run.log_evaluation(evaluation, sorted((job.candidate / "card").glob("*.png")))
        decision = str(evaluation["gate"]["decision"])
        run.register(job.candidate, job.candidate / str(VERSION), alias_of(evaluation["gate"]))
    for part in ("test", "validation"):
        for name in ("accuracy", "calibration_error"):
            figures.log_metric(f"{part} {name}", evaluation[part][name])
    classes = [row["class"] for row in evaluation["test"]["per_class"]]
    confusion.log_confusion_matrix(classes, evaluation["test"]["confusion"])
    print("\n".join(sentences(evaluation["gate"])))
    return decision


def push_and_wait(
    judged: Input[Model],
    decision: str,
    models_path: str,
    model_name: str,
    tf_serving_host: str,
    waiting_time_min: int,
) -> str:
    """Pushes the version and waits until every server has loaded it (only with a host). Returns a summary."""
    import subprocess
    from pathlib import Path

    import training
    from training.settings import VERSION

    if decision == "refused":
        return "nothing pushed: refused by the gate"
    gateway = Path(str(training.__file__)).resolve().parents[2] / "gateway" / "cli" / "main.ts"
    version = Path(judged.path) / "candidate" / model_name / str(VERSION)
    command = ["node", str(gateway), "models", "push", str(version), "--model", model_name, "--models", models_path]
    if tf_serving_host:
        command += ["--tf-serving-host", tf_serving_host, "--wait", f"{waiting_time_min}m"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="")
    return done.stdout.strip()


def build_pipeline(image: str = IMAGE) -> Any:
    """The pipeline, with steps that run in `image`. Its parameters are those of the inner function."""

    def component(function: Callable[..., Any]) -> Any:
        # The image contains kfp: install nothing when a step starts.
        return dsl.component(function, base_image=image, install_kfp_package=False)

    # `settings` is JSON text, because kfp's dictionaries convert integers to floats.
    @dsl.pipeline(name="train-clothing-model", description="Trains a model on photos and pushes it.")
    def training(
        data_path: str,
        models_path: str,
        model_name: str = NAME,
        settings: str = "{}",
        epochs: int = 0,
        trials: int = 0,
        trial_epochs: int = 15,
        tf_serving_host: str = "",
        waiting_time_min: int = 10,
        tracking_uri: str = "",
    ) -> str:
        place = {"models_path": models_path, "model_name": model_name}
        photos = component(split)(data_path=data_path, settings=settings, **place).set_caching_options(False)
        data = {"photos": photos.outputs["photos"]}
        known = {"sha256": photos.outputs["Output"], "tracking_uri": tracking_uri}
        tuned = component(tune)(
            **data,
            settings=settings,
            epochs=epochs,
            trials=trials,
            trial_epochs=trial_epochs,
            tracking_uri=tracking_uri,
        )
        data["chosen"] = tuned.outputs["chosen"]
        trained = component(train)(**data, **known, model_name=model_name)
        exported = component(export)(**data, weights=trained.outputs["weights"], model_name=model_name)
        judged = component(evaluate)(**data, **known, **place, candidate=exported.outputs["candidate"])
        pushed = component(push_and_wait)(
            **place,
            judged=judged.outputs["judged"],
            decision=judged.outputs["Output"],
            tf_serving_host=tf_serving_host,
            waiting_time_min=waiting_time_min,
        ).set_caching_options(False)
        return pushed.output

    return training


def run(work: Path, arguments: dict[str, Any]) -> str:
    """Runs the pipeline locally, each step in its own process. Returns the summary of the last step."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(SERVING), os.environ.get("PYTHONPATH")]))
    # All steps share one MLflow store.
    arguments = {"tracking_uri": tracking_uri(work), **arguments}
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(work / "pipeline"))
    return str(build_pipeline()(**arguments).output)


def add_parameters(parser: argparse.ArgumentParser) -> list[str]:
    """Adds the parameters of the pipeline as options, absent where they are not given. Returns their names."""
    parameters = parser.add_argument_group("parameters of the pipeline", argument_default=argparse.SUPPRESS)
    inputs = build_pipeline().component_spec.inputs
    for name, spec in inputs.items():
        flag, read = f"--{name.replace('_', '-')}", READERS[spec.type]
        parameters.add_argument(
            flag, type=read, required=not spec.optional, help=f"({spec.default})", metavar=spec.type
        )
    return list(inputs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.pipeline", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    compiled = commands.add_parser("compile", help="write the pipeline for Kubeflow")
    compiled.add_argument("out", type=Path, help="the YAML file")
    compiled.add_argument("--image", default=IMAGE, help="image with this package, the gateway and Node (%(default)s)")
    here = commands.add_parser("run", help="run the pipeline on this machine")
    here.add_argument(
        "--work", type=Path, default=SERVING / "training" / "work", help="artifacts and MLflow store (%(default)s)"
    )
    add_parameters(here)
    return parser.parse_args()


def main() -> None:
    """Runs the command."""
    given = vars(_arguments())
    if given.pop("command") == "compile":
        compiler.Compiler().compile(build_pipeline(given["image"]), str(given["out"]))
        return
    try:
        print(run(given.pop("work"), given))
    except RuntimeError as error:
        raise SystemExit(f"pipeline: {error}") from error


if __name__ == "__main__":
    main()
