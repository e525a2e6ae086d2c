"""What must be said to the libraries before they are imported: no telemetry, no GPU, no chatter."""

from __future__ import annotations

import logging
import os

# Warnings that say nothing about us: the libraries' own, and what Rasa cannot know (patterns need no entity extractor that
# is trained; bot.engine.policy.DeskPolicy is a RulePolicy).
NOISE = (
    "DeprecationWarning",
    "ResourceWarning: unclosed file",
    "Slot auto-fill has been removed in 3.0",
    "does not include an entity extractor trained on your training data",
    "'RulePolicy' is not included in the model's",
)


def silence() -> None:
    """Set the environment and the log level; call before the first `import rasa`.

    The level is FSSC_ENGINE_LOG (default WARNING). Rasa logs through structlog as well as logging, and formats a structlog
    event even when nobody listens, so the level is set there too.
    """
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    # One turn is one short vector: a pool of BLAS threads costs more than it saves, and two engines fight over the cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["LOG_LEVEL"] = "ERROR"  # Rasa's own switch: no progress bars

    level = logging.getLevelName(os.environ.get("FSSC_ENGINE_LOG", "WARNING").upper())
    if not isinstance(level, int):
        level = logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True)
    import jieba  # sets its own level and handler when it is imported, so it comes first

    jieba.setLogLevel(logging.WARNING)
    # Warnings go to the log, where the libraries' own deprecations (they change the filters when they are imported) are cut.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addFilter(lambda record: not any(noise in record.getMessage() for noise in NOISE))
    for name in ("apscheduler", "sanic.access", "sanic.root", "matplotlib", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)

    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
