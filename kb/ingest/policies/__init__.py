"""Policies from the manager's disk: read, split into articles, compared with what is stored, kept after a person's yes."""
