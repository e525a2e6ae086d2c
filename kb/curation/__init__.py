"""Curation: what stayed open in conversations is gathered, grouped by meaning, decided by a person, and asked again."""
