"""The command `neobox`: one file per command, imported only when it is called.

Exit codes: 0 done, 1 unexpected error, 2 wrong usage or configuration, 3 a limit was breached,
4 incomplete and resumable, 5 executor out of reach, 6 a target that nothing meets,
7 `--target-se` not met at the most paths, 130 interrupted.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec

import click

COMMANDS = {
    "init": "Write a study and a deal tape to start from.",
    "check": "Check a study and its tape, list what was derived, estimate a run.",
    "schema": "Print the JSON Schema of study files.",
    "run": "Simulate a study.",
    "scenarios": "Run a study under every scenario and compare them.",
    "size": "Find the advance, DSCR or reserve of a facility that keeps its risk under a target.",
    "sweep": "Simulate a study over a grid of changes.",
    "report": "Write the report of a run.",
    "explain": "Tell what happened on one path of a run, month by month.",
    "cashflow": "Print the base case of a facility, month by month.",
    "calibrate": "Fit parameters to data, with errors and a verdict.",
    "market": "Simulate the market of a study alone: fans, sample paths, tables.",
    "roll": "Roll a book forward to a new month along its base case.",
    "results": "List, compare and export results.",
    "warmup": "Compile the kernels ahead of the first run.",
    "cache": "Show or clear compiled kernels.",
    "doctor": "Check the installation.",
    "selfcheck": "Run cases with known numbers through the engine.",
    "verify": "Compute blocks of a stored run again and compare them bit for bit.",
}
"""Commands in the order of use, with the line `neobox --help` prints; module and object of a
command have its name."""


class LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands that are there."""
        return [name for name in COMMANDS if find_spec(f"{__name__}.{name}")]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return a command, None if there is no such one."""
        if name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(importlib.import_module(f"{__name__}.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an error the package raises on purpose becomes text and an exit code."""
        try:
            return super().invoke(ctx)
        except click.exceptions.ClickException:
            raise
        except click.exceptions.Exit:
            raise
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(130)
        except Exception as error:
            from simulator.config.errors import NeoboxError

            if not isinstance(error, NeoboxError):
                raise
            click.echo(str(error), err=True)
            ctx.exit(error.exit_code)


EPILOG = """\b
Examples:
  neobox init my-study
  neobox check my-study/study.yaml
  neobox run my-study/study.yaml --paths 100000 --jobs 2 --out results/my-study
  neobox report results/my-study

Each command has examples of its own: neobox run --help.

\b
Complete commands and options with the tab key (put the line into the shell's start file):
  bash  eval "$(_NEOBOX_COMPLETE=bash_source neobox)"
  zsh   eval "$(_NEOBOX_COMPLETE=zsh_source neobox)"
  fish  _NEOBOX_COMPLETE=fish_source neobox | source
"""


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(package_name="neobox", prog_name="neobox")
def main() -> None:
    """Monte Carlo risk simulator for portfolios of neocloud GPU loans."""
