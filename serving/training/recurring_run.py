"""Has Kubeflow Pipelines run the training on a schedule:

    python -m training.recurring_run --host https://kubeflow.example --cron '0 0 3 * * 0' --image IMAGE \\
      --data-path /data/photos --models-path /models

The cron expression has six fields: seconds come first. A run that is due while one is in progress is left out.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfp import Client, compiler

from .pipeline import IMAGE, add_parameters, build_pipeline

NAME = "tensorgate-retrain"


def create(client: Client, image: str, cron: str, namespace: str | None, parameters: dict[str, Any]) -> str:
    """Creates the recurring run in the experiment of the same name. Returns its id. Raises the errors of the API."""
    experiment = client.create_experiment(NAME, namespace=namespace)
    with TemporaryDirectory() as folder:
        package = Path(folder) / "pipeline.yaml"
        compiler.Compiler().compile(build_pipeline(image), str(package))
        made = client.create_recurring_run(
            experiment.experiment_id,
            NAME,
            cron_expression=cron,
            max_concurrency=1,
            no_catchup=True,
            params=parameters,
            pipeline_package_path=str(package),
        )
    return str(made.recurring_run_id)


def main() -> None:
    """Runs the command. The token or the cookie of the API is that of kfp's own settings."""
    parser = argparse.ArgumentParser(
        prog="python -m training.recurring_run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", required=True, help="address of Kubeflow Pipelines' API")
    parser.add_argument("--namespace", help="the user's namespace, where Kubeflow has several users")
    parser.add_argument("--cron", required=True, help="six fields, seconds first")
    parser.add_argument("--image", default=IMAGE, help="image with this package, the gateway and Node (%(default)s)")
    names = add_parameters(parser)
    given = vars(parser.parse_args())
    parameters = {name: given[name] for name in names if name in given}
    client = Client(host=given["host"], namespace=given["namespace"] or "kubeflow")
    print(f"recurring run {create(client, given['image'], given['cron'], given['namespace'], parameters)}")


if __name__ == "__main__":
    main()
