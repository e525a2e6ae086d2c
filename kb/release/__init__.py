"""Releases: made, measured and compared (`publish`), looked at beforehand (`pending`, `preview`), kept and pointed at
(`releases`), loaded and served (`live`, `loading`). The other modules are theirs alone."""
