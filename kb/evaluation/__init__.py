"""Measuring retrieval on questions with known answers: the files they come in, and what a day's work would reach."""
