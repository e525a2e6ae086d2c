"""`python -m bot.engine serve|train|parse`: see `--help`. Runs under the dialogue engine's own interpreter."""

from __future__ import annotations

import argparse
import os
import sys

from bot.engine.quiet import silence


def parser() -> argparse.ArgumentParser:
    """The command line; tokens may come from the environment, where other users of the machine cannot read them."""
    root = argparse.ArgumentParser(prog="python -m bot.engine", description="The dialogue engine (Rasa 3.6.21).")
    commands = root.add_subparsers(dest="command", required=True)

    serve = commands.add_parser("serve", help="answer POST /webhooks/rest/webhook on 127.0.0.1")
    serve.add_argument("--model", required=True, help="a model archive, or a directory: its newest archive")
    serve.add_argument("--port", type=int, required=True)
    serve.add_argument("--token", default=os.environ.get("FSSC_ENGINE_TOKEN"), help="or FSSC_ENGINE_TOKEN")
    serve.add_argument("--actions-url", required=True, help="where the actions are served, the whole URL")
    serve.add_argument("--actions-token", default=os.environ.get("FSSC_ACTIONS_TOKEN"), help="or FSSC_ACTIONS_TOKEN")
    serve.add_argument(
        "--redis-url", default=os.environ.get("FSSC_ENGINE_REDIS_URL"), help="absent: conversations in memory"
    )

    train = commands.add_parser("train", help="train a model archive")
    train.add_argument("--domain", required=True)
    train.add_argument("--data", required=True, nargs="+")
    train.add_argument("--config", required=True)
    train.add_argument("--out", required=True, help="the archive to write, …/name.tar.gz")

    parse = commands.add_parser("parse", help="a text a line on stdin, what the model makes of it on stdout (JSON)")
    parse.add_argument("--model", required=True)
    return root


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code, 2 for a command line that makes no sense."""
    args = parser().parse_args(argv)
    silence()
    if args.command == "train":
        from bot.engine.train import train

        return train(domain=args.domain, config=args.config, data=args.data, out=args.out)

    if args.command == "parse":
        from bot.engine.parse import main as parse

        return parse(args.model)

    for flag, value in (("--token", args.token), ("--actions-token", args.actions_token)):
        if not value:
            print(f"bot.engine: {flag} is missing", file=sys.stderr)
            return 2
    if not os.path.exists(args.model):
        print(f"bot.engine: there is no model at {args.model}", file=sys.stderr)
        return 2

    from bot.engine.serve import serve

    return serve(
        model=args.model,
        port=args.port,
        token=args.token,
        actions_url=args.actions_url,
        actions_token=args.actions_token,
        redis_url=args.redis_url,
    )


if __name__ == "__main__":
    sys.exit(main())
