"""Knowledge: entries, encoder, index, matcher, search, releases."""

import os

# The matcher solves many small systems. A pool of BLAS threads only spins for them: on two busy cores a search took ten
# times as long. It has to be said before numpy is imported; the encoder has threads of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
