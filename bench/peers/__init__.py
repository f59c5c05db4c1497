"""trimtab and its peers on the same work: d2l's tutorials, transformers' Trainer, and trimtab itself.

A ``Work`` is what all of them do: rows, size, recipe and batches. A ``Contestant`` is one way to train on it,
and ``race`` lets several take turns in one process and gives their rates.
"""
