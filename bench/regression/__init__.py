"""Guards against regressions of speed, and timings to compare with the baseline of this kind of machine."""
