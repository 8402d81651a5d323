"""Four small accounting vendors to build against: strict, stateful, on your own machine. See README.md."""
