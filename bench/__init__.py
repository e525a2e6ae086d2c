"""What it costs, beside a baseline. The threads of the product are set before numpy is imported."""

import kb  # noqa: F401
