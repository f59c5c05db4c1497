"""Files of predictions, as a user may have them."""

import csv
import json

import numpy as np


def rows_of(scores, variants=None, **columns):
    """Rows of a table with the scores (variants, seeds, examples); columns: further ones, by example."""
    names = variants or [f"v{number}" for number in range(len(scores))]
    return [
        {"variant": names[v], "seed": s, "example": f"e{i}", "score": scores[v, s, i].item()}
        | {name: values[i] for name, values in columns.items()}
        for v, s, i in np.ndindex(scores.shape)
    ]


def write_csv(path, rows, separator=","):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_json_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
