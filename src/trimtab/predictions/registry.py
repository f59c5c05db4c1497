"""The formats of predictions: to add one, write a file with its ``FORMAT`` and name it here.

The first that reads a path reads it.
"""

from trimtab.predictions import csv_table, inspect_logs, json_lines, lm_eval, parquet_table, trainer_folder
from trimtab.predictions.source import Format

FORMATS: dict[str, Format] = {
    "trainer": trainer_folder.FORMAT,
    "lm-eval": lm_eval.FORMAT,
    "inspect": inspect_logs.FORMAT,
    "csv": csv_table.FORMAT,
    "jsonl": json_lines.FORMAT,
    "parquet": parquet_table.FORMAT,
}
