"""One module per deed: what the bridge does, told in the words of the trade and of `ports` only."""
