"""Drafting a study file: a table is looked at, and what its columns are is guessed and said."""
