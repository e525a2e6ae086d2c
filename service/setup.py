"""What must be there before the product starts: encoder, tables, first administrator, knowledge, dialogue model."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from core.database import Database
from core.errors import SettingsError
from core.settings import Settings
from handoff import canned, search
from handoff.actors import SYSTEM
from handoff.clocks import defaults as clocks
from handoff.quality import settings as quality
from handoff.routing import seed as routing
from handoff.staff import follow_user
from kb.encoder.build import build_default_encoder
from kb.files import read_knowledge
from kb.release.loading import load
from kb.release.releases import current_number
from kb.store import save_document, save_entry
from service.bootstrap import ROOT, STARTER, encoder_of
from service.migrate import migrate
from service.releasing import release
from service.running import ENGINE_PYTHON, model_path
from service.users import create_first_admin, users

Progress = Callable[[str], None]
_LEAST_FREE_GIB = 1


def set_up(settings: Settings, progress: Progress) -> None:
    """Do what is missing, skip what is done. Raises FSSCError with what to do about it."""
    settings.check()
    _check_home(settings.home)
    if not settings.encoder:
        progress("The default encoder")
        build_default_encoder(settings.home / "encoder", lambda text: progress(f"  {text}"))
    progress("The database's tables")
    migrate(settings.database)
    database = Database(settings.database)
    try:
        with database.write() as session:
            password = create_first_admin(session, settings.admin_password)
            prepare_desk(session)
        if found := search.catch_up(database):
            progress(f"  {found} tickets can be searched now")
        if password:
            progress(f"  console user: admin   password: {password}   (shown only once)")
        with database.read() as session:
            number = current_number(session)
        if number is None:
            progress("The starter knowledge")
            load_knowledge(database, STARTER, "starter", progress)
            release(settings, database, encoder_of(settings), progress, author="system")
        else:
            progress(f"The knowledge base: release {number}")
            load(database, settings.home, encoder_of(settings), number, lambda text: progress(f"  {text}"))
    finally:
        database.close()
    train(settings, progress)


def prepare_desk(session: Session) -> None:
    """What the ticket desk starts with, where there is nothing yet: groups, rules, calendars, promises, canned replies."""
    people = users(session)
    routing.seed(session, [user.username for user in people if "admin" in user.roles])
    for user in people:
        follow_user(session, SYSTEM, user.username, user.name, user.roles)
    clocks.seed(session)
    quality.seed(session)
    canned.seed(session)


def load_knowledge(database: Database, directory: Path, author: str, progress: Progress) -> int:
    """Store a directory's entries, policies, tables and scenes; return how many entries are new or changed."""
    knowledge = read_knowledge(directory)
    with database.write() as session:
        changed = sum(save_entry(session, entry, author) for entry in knowledge.entries)
        for kind, bodies in (
            ("policy", knowledge.policies),
            ("table", knowledge.tables),
            ("scenes", [knowledge.scenes]),
        ):
            for body in bodies:
                save_document(session, kind, body)
    progress(f"  {len(knowledge.entries)} entries ({changed} new or changed), {len(knowledge.policies)} policies")
    return changed


def train(settings: Settings, progress: Progress) -> None:
    """Train the dialogue model, unless the one that is there was trained from these very inputs."""
    model = model_path(settings.home)
    stamp = model.with_suffix(".digest")
    digest = _training_digest()
    if model.exists() and stamp.exists() and stamp.read_text() == digest:
        progress("The dialogue model (up to date)")
        return
    progress("Training the dialogue model")
    model.parent.mkdir(parents=True, exist_ok=True)
    log = settings.home / "logs" / "train.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(
            [str(ENGINE_PYTHON), "-m", "bot.engine", "train", "--domain", "bot/domain.yml", "--data", "bot/data"]
            + ["--config", "config.yml", "--out", str(model)],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "HOME": str(settings.home), "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise SettingsError(f"the dialogue model could not be trained; see {log}")
    stamp.write_text(digest)


def _training_digest() -> str:
    made = hashlib.sha256()
    inputs = [ROOT / "config.yml", ROOT / "bot" / "domain.yml", ROOT / "locks" / "engine.txt"]
    inputs += sorted(path for path in (ROOT / "bot" / "data").rglob("*") if path.is_file())
    inputs += sorted((ROOT / "bot" / "engine").rglob("*.py"))
    for path in inputs:
        made.update(str(path.relative_to(ROOT)).encode())
        made.update(path.read_bytes())
    return made.hexdigest()


def _check_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(f"FSSC_HOME={home} cannot be written: {error.strerror}") from error
    free = shutil.disk_usage(home).free / 2**30
    if free < _LEAST_FREE_GIB:
        raise SettingsError(f"only {free:.1f} GiB free in FSSC_HOME={home}; {_LEAST_FREE_GIB} GiB are needed")
