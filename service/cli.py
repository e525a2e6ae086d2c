"""The command `fssc`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import OperationalError

from core.clock import local, today
from core.database import Database
from core.errors import FSSCError, SettingsError
from core.settings import Settings, environment_name

app = typer.Typer(no_args_is_help=True, add_completion=False, help="FSSC Desk 财务共享智能客服")
kb = typer.Typer(no_args_is_help=True, help="The knowledge base.")
app.add_typer(kb, name="kb")
user = typer.Typer(no_args_is_help=True, help="The console's users.")
app.add_typer(user, name="user")
audit = typer.Typer(no_args_is_help=True, help="The audit log.")
app.add_typer(audit, name="audit")
tickets = typer.Typer(no_args_is_help=True, help="Tickets.")
app.add_typer(tickets, name="tickets")
clocks = typer.Typer(no_args_is_help=True, help="Service levels.")
app.add_typer(clocks, name="clocks")
console = Console(highlight=False, soft_wrap=True)


class OnCollision(StrEnum):
    """For rows of an import that collide with an entry."""

    merge = "merge"
    overwrite = "overwrite"
    skip = "skip"
    create = "create"


def _progress(text: str) -> None:
    console.print(text if text.startswith(" ") else f"▸ {text}", markup=False)


@contextmanager
def _told(console: Console = console) -> Iterator[Settings]:
    """Settings for a command; what goes wrong is told in one line, with exit code 1."""
    try:
        yield Settings()
    except ValidationError as error:
        for one in error.errors():
            name = (
                environment_name(str(one["loc"][0]))
                if one["loc"] and one["loc"][0] in Settings.model_fields
                else one["loc"]
            )
            console.print(f"✗ {name}: {one['msg']}", markup=False)
        raise typer.Exit(1) from error
    except FSSCError as error:
        console.print(f"✗ {error.message}", markup=False)
        raise typer.Exit(1) from error
    except OperationalError as error:
        reason = " ".join(str(error.orig).split())[:200]
        console.print(f"✗ the database of DATABASE_URL cannot be used: {reason}", markup=False)
        raise typer.Exit(1) from error
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        console.print(f"✗ {error.strerror or error}{where}; free disk space or check permissions", markup=False)
        raise typer.Exit(1) from error


def _opened(settings: Settings) -> Database:
    """The database with the tables of this version, also where set-up has not run yet."""
    from service.migrate import migrate

    settings.home.mkdir(parents=True, exist_ok=True)
    migrate(settings.database)
    return Database(settings.database)


@app.command()
def run() -> None:
    """Set up what is missing, then start everything until Ctrl-C."""
    from service.running import require_free_port
    from service.running import run as start
    from service.setup import set_up
    from service.supervisor import StartFailed

    with _told() as settings:
        try:
            require_free_port(settings)
            set_up(settings, _progress)
            start(settings, _progress)
        except StartFailed as error:
            raise SettingsError(str(error)) from error
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


@app.command()
def setup() -> None:
    """Set up what is missing: encoder, tables, first administrator, starter knowledge, dialogue model."""
    from service.setup import set_up

    with _told() as settings:
        set_up(settings, _progress)


@app.command()
def password(username: str) -> None:
    """Set a console user's password; asks for it."""
    from service.users import set_password

    with _told() as settings:
        new = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
        if len(new) < 10:
            raise SettingsError("a password needs at least 10 characters")
        database = _opened(settings)
        with database.write() as session:
            known = set_password(session, username, new)
        if not known:
            raise SettingsError(f"there is no console user {username}")
        console.print("✓ changed")


@kb.command()
def load(directory: Path) -> None:
    """Load entries, policies, tables and scenes from a directory laid out like kb/starter. Publish afterwards."""
    from service.setup import load_knowledge

    with _told() as settings:
        if not directory.is_dir():
            raise SettingsError(f"{directory} is no directory")
        load_knowledge(_opened(settings), directory, "cli", _progress)


@kb.command()
def publish(
    override: Annotated[str, typer.Option(help="Publish although the gate refuses, for this reason.")] = "",
    refit: Annotated[bool, typer.Option("--refit", help="Fit the matcher anew, whatever changed.")] = False,
) -> None:
    """Show what changes and what gets better or worse, then put it to work on every replica, if the gate lets it."""
    from service.bootstrap import encoder_of
    from service.releasing import release

    with _told() as settings:
        database = _opened(settings)
        release(settings, database, encoder_of(settings), _progress, override_reason=override or None, refit=refit)


@kb.command()
def rollback(
    number: int, reason: Annotated[str, typer.Option(help="Why; kept with the release.")] = "从命令行回滚"
) -> None:
    """Let an earlier release serve again, at once."""
    from service.releasing import roll_back_to

    with _told() as settings:
        roll_back_to(_opened(settings), number, reason, _progress)


@kb.command("import")
def import_files(
    files: Annotated[
        list[Path], typer.Argument(help="FAQ sheets (.xlsx, .csv), policies (.docx, .pdf, .html, .md, .txt).")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before writing.")] = False,
    on_collision: Annotated[
        OnCollision | None, typer.Option(help="What to do with rows that ask what another entry asks.")
    ] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Approve outright, without a review.")] = False,
    policy: Annotated[str, typer.Option(help="The policy that the file is a new version of.")] = "",
) -> None:
    """Bring files into the knowledge base: show what will happen, then do it. Publish afterwards."""
    from service.importing import Wishes, import_file

    with _told() as settings:
        database = _opened(settings)
        wishes = Wishes(yes, approve, on_collision and on_collision.value, policy or None)
        done = [import_file(database, path, wishes, console, typer.confirm) for path in files]
    if not all(done):
        raise typer.Exit(1)


_Table = Annotated[bool, typer.Option("--table", help="The id is that of a standard table.")]


@kb.command("withdraw")
def withdraw_document(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The id of a policy.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")] = "从命令行停用",
    table: _Table = False,
) -> None:
    """Take a policy or a standard table out of use, at once; entries that cite it are flagged."""
    from kb.ingest.policies.withdrawal import withdraw

    with _told() as settings:
        with _opened(settings).write() as session:
            flagged = withdraw(session, "table" if table else "policy", identity, "cli", reason)
        console.print(f"✓ {identity} 已停用，{flagged} 个条目已提醒复核", markup=False)


@kb.command("bring-back")
def bring_back_document(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The id of a policy.")], table: _Table = False
) -> None:
    """Put a policy or a standard table to use again. Publish afterwards."""
    from kb.ingest.policies.withdrawal import bring_back

    with _told() as settings:
        with _opened(settings).write() as session:
            bring_back(session, "table" if table else "policy", identity, "cli")
        console.print(f"✓ {identity} 已重新启用", markup=False)


@kb.command("export")
def export_entries(file: Path) -> None:
    """Write every entry to a .xlsx or .csv file that `fssc kb import` reads back."""
    from service.importing import export_file

    with _told() as settings:
        count = export_file(_opened(settings), file)
        console.print(f"✓ {count} entries in {file}", markup=False)


@kb.command()
def search(
    question: str,
    page: Annotated[str, typer.Option(help="The page where it is asked.")] = "",
    node: Annotated[str, typer.Option(help="The process node.")] = "",
) -> None:
    """Show what the chat would find: candidates, probabilities and the band."""
    from core.text import normalize
    from kb.release.live import LiveKnowledge
    from kb.search import Query
    from service.bootstrap import encoder_of

    with _told() as settings:
        knowledge = LiveKnowledge(_opened(settings), settings.home, encoder_of(settings))
        knowledge.refresh()
        result = knowledge.searcher.search(Query(normalize(question), today(), page or None, node or None))
        table = Table("entry", "question", "probability")
        for candidate in result.candidates:
            table.add_row(candidate.entry.id, candidate.entry.question, f"{candidate.probability:.3f}")
        console.print(table)
        console.print(
            f"band {result.band}, release {result.release}, "
            f"answer from {result.thresholds.answer:.3f}, clarify from {result.thresholds.clarify:.3f}"
        )


@kb.command(name="eval")
def evaluate(
    entries: Annotated[Path, typer.Option(help="id, question, similar (separated by |), answer; by tabs.")],
    queries: Annotated[Path, typer.Option(help="query and the id of the right entry; by tabs.")],
    out_of_scope: Annotated[Path | None, typer.Option(help="Questions that no entry answers, one a line.")] = None,
    wrong_rate: Annotated[float, typer.Option(help="Accepted share of wrong ones among outright answers.")] = 0.03,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only so many of each kind, evenly spaced.")] = None,
    baselines: Annotated[bool, typer.Option("--baselines", help="Also the encoder, BM25 and both merged.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write the figures there; - is standard output.")] = None,
) -> None:
    """Measure retrieval on entries and questions from files; nothing of the product's own is touched."""
    from service.evaluation_command import run_evaluation

    talk = Console(highlight=False, soft_wrap=True, stderr=True)
    with _told(talk) as settings:
        run_evaluation(settings, entries, queries, out_of_scope, wrong_rate, limit, baselines, json, console, talk)


Roles = Annotated[
    list[str] | None, typer.Option("--role", help="admin, editor, reviewer, publisher or agent; may be repeated.")
]


@user.command("add")
def add_user(username: str, name: Annotated[str, typer.Option(help="As colleagues see it.")] = "", role: Roles = None):
    """Add a user of the console; the password is asked for, or read from standard input."""
    from service.users import add_user

    with _told() as settings:
        password = _new_password()
        with _opened(settings).write() as session:
            row = add_user(session, username, name, password, role or [])
        console.print(f"✓ {row.username}: {', '.join(row.roles) or 'no roles'}", markup=False)


@user.command("list")
def list_users() -> None:
    """Show every user of the console."""
    from service.users import users

    with _told() as settings:
        table = Table("user", "name", "roles")
        with _opened(settings).read() as session:
            for row in users(session):
                table.add_row(row.username, row.name, ", ".join(row.roles))
        console.print(table)


@user.command("roles")
def set_roles(username: str, role: Roles = None) -> None:
    """Give a user exactly these roles; ends their sessions."""
    from service.users import change_user

    with _told() as settings:
        with _opened(settings).write() as session:
            row = change_user(session, username, roles=role or [])
        console.print(f"✓ {row.username}: {', '.join(row.roles) or 'no roles'}", markup=False)


@user.command("remove")
def remove_user(username: str) -> None:
    """Remove a user of the console and end their sessions."""
    from service.users import remove_user

    with _told() as settings:
        with _opened(settings).write() as session:
            remove_user(session, username)
        console.print(f"✓ {username} removed", markup=False)


_Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
_Some = Annotated[list[str] | None, typer.Option(help="May be repeated.")]


@tickets.command("export")
def export_tickets(
    file: Path,
    status: _Some = None,
    urgency: _Some = None,
    business_type: _Some = None,
    group: _Some = None,
    assignee: _Some = None,
    tier: _Some = None,
    vip: bool = False,
    emergency: bool = False,
    text: Annotated[str, typer.Option(help="Words that all occur in the ticket.")] = "",
    since: _Day = None,
    until: _Day = None,
) -> None:
    """Write tickets to a .xlsx file: those that match every filter, filed on the days --since to --until."""
    from handoff.actors import SYSTEM
    from handoff.queue import Asked
    from service.ticket_export import export

    some = [tuple(one or ()) for one in (status, urgency, business_type, group, assignee, tier)]
    with _told() as settings, _opened(settings).read() as session:
        count = export(
            session,
            SYSTEM,
            Asked("all", *some, vip, emergency, text),
            file,
            since and since.date(),
            until and until.date(),
        )
        console.print(f"✓ {count} tickets in {file}", markup=False)


@app.command()
def simulate(
    channel: Annotated[str, typer.Argument(help="wecom or dingtalk.")],
    port: Annotated[int, typer.Option(help="Where the page is served.")] = 8100,
) -> None:
    """Try a channel without an account: its servers simulated beside `make run`, with a page like a phone chat."""
    from service.simulating import simulate

    with _told() as settings:
        simulate(settings, channel, port, _progress)


@app.command()
def deliveries(again: Annotated[int, typer.Option(help="Send this one again.")] = 0) -> None:
    """What did not reach an employee, or may not have; the newest first."""
    from core.clock import now
    from service.undelivered import send_again, undelivered

    with _told() as settings:
        database = _opened(settings)
        with database.write() as session:
            if again:
                send_again(session, "cli", again)
            rows, _ = undelivered(session, now())
        table = Table("id", "state", "channel", "cause", "attempts", "since", "error")
        for row in rows:
            told = (str(row.id), row.state, row.channel, row.cause, str(row.attempts), local(row.at), row.error)
            table.add_row(*told)
        console.print(table if rows else "Everything was delivered, or is on its way.")


@clocks.command("explain")
def explain_clocks(number: str) -> None:
    """Reckon a ticket's clocks anew: every period that counted, every pause, and whether the record agrees."""
    from core.clock import now
    from handoff.clocks.explain import accounts, retold

    with _told() as settings, _opened(settings).read() as session:
        found = accounts(session, number.upper(), now())
        for account in found:
            console.print("\n".join(retold(account)), markup=False)
    if any(account.differences for account in found):
        raise typer.Exit(1)


@app.command()
def curate() -> None:
    """Gather and group what stayed open, now instead of at night, and ask it again of the release that serves."""
    from kb.release.live import LiveKnowledge
    from service.bootstrap import encoder_of
    from service.curating import Curating, writer_of

    with _told() as settings:
        database, encoder = _opened(settings), encoder_of(settings)
        knowledge = LiveKnowledge(database, settings.home, encoder)
        found = Curating(database, encoder, knowledge, writer_of(settings)).now("cli", _progress)
        console.print("\n".join(f"{name}: {count}" for name, count in found.items()), markup=False)


@audit.command("verify")
def verify_audit(
    expect: Annotated[
        str, typer.Option(help="ID:HASH that an earlier run printed; shows that no end was cut off.")
    ] = "",
) -> None:
    """Check that nobody changed, removed or inserted an entry, and that every ticket's timeline agrees."""
    from service.audit_command import verify_log

    with _told() as settings:
        holds = verify_log(_opened(settings), expect, console)
    if not holds:
        raise typer.Exit(1)


def _new_password() -> str:
    """Never an argument: other users of the machine can read those."""
    if sys.stdin.isatty():
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return sys.stdin.readline().rstrip("\r\n")
