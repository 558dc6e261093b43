"""The entry point: finds commands when they are asked for, and turns errors into words and exit codes."""

from __future__ import annotations

import importlib
import json
import sys
from typing import NoReturn

import click

from qbench import __version__
from qbench.errors import InternalFault, QbenchError, UserError, internal_fault
from qbench.text import shown

# What each command does, so that `qbench --help` need not import it.
COMMANDS = {
    "train": "Train a network of models/ from its recipe.",
    "export": "Convert a trained network into integer models.",
    "attack": "Make adversarial inputs against a network, a runtime or a device.",
    "replay": "Run adversarial inputs on real int8 runtimes.",
    "report": "Write a report of replays: tables, figures, JSON, HTML.",
    "check": "Check a replay against bounds: the release gate.",
    "run": "Run an experiment described by a TOML file.",
    "study": "Analyse networks: transfer, gradient masking, claims.",
    "models": "List the networks that can be trained.",
    "attacks": "List the attacks, their norms and settings.",
    "datasets": "List the data sets, and the forms that --data takes.",
    "runtimes": "List the runtimes, and which this machine has.",
    "devices": "List the serial ports, and which devices answer there.",
    "device": "Identify the device at a port.",
    "firmware": "Build a board's firmware, add a model, flash it.",
}

INTERRUPTED = 130


class _Commands(click.Group):
    """Imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the work."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"qbench.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 a check failed, 2 the user's mistake, 3 the environment lacks something, "
    "4 an internal fault, 130 interrupted.",
)
@click.version_option(__version__)
def cli() -> None:
    """Measure how robust the quantized network is that actually runs on the device.

    The way of the work: train, export, attack, replay, report.
    """


def main() -> NoReturn:
    """Run the command line and exit with a code that means something."""
    as_json = "--json" in sys.argv[1:]
    try:
        code = cli.main(standalone_mode=False) or 0
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.ClickException as error:
        code = UserError.exit_code
        if as_json:
            _say(UserError(error.format_message()), as_json=True)
        else:
            error.show()
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
        click.echo("interrupted: what was computed is kept; the same command goes on from there", err=True)
    except QbenchError as error:
        code = error.exit_code
        _say(error, as_json=as_json)
    except Exception as error:
        code = InternalFault.exit_code
        _say(internal_fault(error), as_json=as_json)
    sys.exit(code)


def _say(error: QbenchError, *, as_json: bool) -> None:
    """What happened, the likely cause, the next step."""
    if as_json:
        parts = {"what": error.what, "cause": error.cause, "hint": error.hint, "exit_code": error.exit_code}
        click.echo(json.dumps({"error": parts}, indent=2))
        return
    click.echo(click.style("error: ", fg="red", bold=True) + shown(error.what), err=True)
    for label, text in (("likely cause", error.cause), ("next step", error.hint)):
        if text:
            click.echo(shown(f"  {label}: {text}"), err=True)
