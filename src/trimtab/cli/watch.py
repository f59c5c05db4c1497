"""The command watch: a study that runs elsewhere, seen live."""

import time
from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import DONE

_SECONDS = 1.0  # between two looks at the files

Once = Annotated[bool, typer.Option("--once", help="Print the state now and exit, on a terminal too.")]


def watch(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of results, such as results/study.")],
    once: Once = False,
) -> int:
    """Show a study that is running elsewhere.

    Reads from the files in DIR what is finished, what runs, how far it is, and the time left. On a terminal
    the view is live until the run ends or Ctrl-C is pressed; elsewhere the state is printed once.
    """
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from trimtab.analysis.state import StudyState, study_state
    from trimtab.ledger.ledger import Ledger
    from trimtab.report import terminal
    from trimtab.report.watch import watch_text

    ledger, console = Ledger(folder), Console(highlight=False)
    state = study_state(ledger)
    if once or state.is_over or not console.is_terminal:
        terminal.say(watch_text(state, terminal.width()))
        return DONE
    ascii_only = not console.encoding.lower().startswith("utf")

    def drawn(state: StudyState) -> Text:
        return Text(watch_text(state, console.width, ascii_only=ascii_only))

    try:
        with Live(drawn(state), console=console, auto_refresh=False, vertical_overflow="visible") as live:
            while not state.is_over:
                time.sleep(_SECONDS)
                state = study_state(ledger, state)
                live.update(drawn(state), refresh=True)
    except KeyboardInterrupt:  # the usual way out; nothing here was interrupted
        pass
    return DONE
