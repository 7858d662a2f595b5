"""Unit tests of the rule modules, run over the interpreted and the compiled twin alike."""
