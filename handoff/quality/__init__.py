"""How good it was: satisfaction, inspection, the scoreboard."""
