"""A study file: the question, the data, the grid and what is compared. ``load(path) -> Study``."""

from trimtab.study.definition import Study, load

__all__ = ["Study", "load"]
