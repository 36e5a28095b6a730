"""How fast the site is beside something bare on the same machine, in the same run. scripts/bench runs it."""
