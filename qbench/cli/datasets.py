"""`qbench datasets`."""

from __future__ import annotations

import json

import click

from qbench.cli.common import output_options, show_tables

_FORMS = (
    (
        "FOLDER or FILE.zip",
        "images or .wav sounds in one folder a class; with train/ and test/ inside, both splits",
    ),
    ("X-train.zip, X-test.zip", "two splits side by side; either name, or X, loads both"),
    ("FOLDER", "SVHN as its authors give it: train_32x32.mat and test_32x32.mat"),
    ("FILE.npz", "x and y, or x_train, y_train, x_test, y_test"),
    ("NAME", "any of these under $QBENCH_DATA"),
)


@click.command(epilog="Example: qbench datasets")
@output_options
def command(quiet: bool, as_json: bool) -> None:
    """List the data sets that --data knows by name, and the forms of files that it takes."""
    from qbench.data import DATASETS
    from qbench.reporting.cells import Table

    named = {name: entry.description for name, entry in DATASETS.items()}
    if as_json:
        click.echo(json.dumps({"names": named, "forms": dict(_FORMS)}, indent=2))
    elif not quiet:
        rows = (*named.items(), *_FORMS)
        show_tables([Table("Data sets", ("--data", "what it is"), rows, keys=2)])
