"""The command line. Commands import what they need when they run, so that help and errors are immediate."""

import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated, cast

import typer

from trimtab import __version__
from trimtab.atomic import NO_ROOM
from trimtab.cli.comparing import compare
from trimtab.cli.doctor import doctor
from trimtab.cli.init import init, schema
from trimtab.cli.inspection import audit, show
from trimtab.cli.listing import datasets, sizes, strategies
from trimtab.cli.measurement import bench
from trimtab.cli.models import embed, export, predict
from trimtab.cli.options import DONE
from trimtab.cli.pretraining import pretrain
from trimtab.cli.trials import plan, report, run
from trimtab.cli.watch import watch
from trimtab.config import InputError
from trimtab.report.terminal import silence
from trimtab.run.stopping import ASKING

WRONG_INPUT = 2
INTERRUPTED = tuple(128 + number for number in (signal.SIGINT, *ASKING))

# What click raises for a wrong command line. Older versions of typer use the installed click, newer ones
# bundle their own, so the class is taken from what typer exports.
UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__base__)

app = typer.Typer(
    help="Measure what truncating text pairs costs: train every variant over several seeds, then compare.",
    epilog="Exit codes: 0 success; 1 some trials failed; 2 wrong input; 3 worse (compare --fail-if worse); "
    "130, 143, 129 interrupted.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"trimtab {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


_MEASURING = (run, watch, plan, report, doctor, compare, audit, show, bench)
_MODELS = (pretrain, embed, export, predict)
_LISTS = (strategies, sizes, datasets, schema)
for _command in (init, *_MEASURING, *_MODELS, *_LISTS):
    app.command()(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 success, 1 some trials failed, 2 wrong input."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(args=given or ["--help"], prog_name="trimtab", standalone_mode=False)
        sys.stdout.flush()  # here, where a full disk can be told
    except InputError as error:
        return _complain(str(error))
    except UsageError as error:
        words = error.format_message().replace("Value error, ", "").removesuffix(".")
        return _complain(f"{words}; see trimtab --help")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torch":
            raise
        command = next((word for word in given if not word.startswith("-")), "this command")
        return _complain(f"{command}: needs torch, which is not installed; pip install 'trimtab[train]'")
    except BrokenPipeError:  # of a help text; what commands say is as if it had been read
        silence()
        code = DONE
    except SystemExit as end:  # typer's own answer to it
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        silence()
        code = DONE
    except OSError as error:
        place = error.filename or "where output goes to"
        if isinstance(error, PermissionError):
            return _complain(
                f"{place}: {error.strerror}; ask for leave to write there, or choose another folder"
            )
        if error.errno not in NO_ROOM:
            raise
        silence()
        return _complain(f"{place}: {error.strerror}; free space there, then run the same command again")
    except (KeyboardInterrupt, typer.Abort):
        code = 128 + signal.SIGINT  # which typer itself returns in newer versions
    if code in INTERRUPTED:
        print("trimtab: interrupted; finished work is kept, run the same command to resume", file=sys.stderr)
    return code or DONE


def entry() -> None:
    """The console script. A character that the terminal's encoding lacks is printed as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = main()
    if code in INTERRUPTED:
        # Python takes its handlers away as it ends: what is left of the request would kill it, with another
        # exit code.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _complain(sentence: str) -> int:
    print(f"trimtab: {sentence}", file=sys.stderr)
    return WRONG_INPUT
