"""How often the analysis errs: simulated studies, their analysis, and the tables of its error rates."""
