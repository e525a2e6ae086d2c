"""A model's graph runs in an order worked out once, without a scheduler.

The prediction graphs are short chains of fast nodes; dask plans, orders and polls them anew at each of three runs a turn.
"""

from __future__ import annotations

import functools

from bot.engine.expectation import Expectation

EXPECTS = (
    Expectation("rasa.engine.runner.dask:DaskGraphRunner.run", "39c53d008746a393"),
    Expectation("rasa.engine.runner.dask:DaskGraphRunner._build_dask_graph", "d9a3c5c70763c421"),
    Expectation("rasa.engine.runner.dask:DaskGraphRunner._add_inputs_to_graph", "852374ac06efb3b3"),
    Expectation("rasa.engine.graph:GraphNode.__call__", "affe0b020acdae50"),
    Expectation("rasa.engine.graph:GraphSchema.minimal_graph_schema", "38eb46e2d2837405"),
)


def bind() -> None:
    """Replace `DaskGraphRunner.run`; a run without inputs (training) goes the stock way."""
    from rasa.engine.exceptions import GraphRunError
    from rasa.engine.runner.dask import DaskGraphRunner

    stock = DaskGraphRunner.run

    @functools.wraps(stock)
    def run(self, inputs=None, targets=None):
        if not inputs or not targets:
            return stock(self, inputs, targets)
        plans = self.__dict__.setdefault("_fssc_plans", {})
        key = (*targets, None, *inputs)
        plan = plans.get(key)
        if plan is None:
            schema = self._graph_schema.minimal_graph_schema(targets)
            plan = plans[key] = order({name: list(node.needs.values()) for name, node in schema.nodes.items()})
        results = {name: (name, value) for name, value in inputs.items()}
        try:
            for name, needs in plan:
                if name not in results:
                    results[name] = self._instantiated_nodes[name](*[results.get(need, need) for need in needs])
        except RuntimeError as error:
            raise GraphRunError("Error running runner.") from error
        return dict(results[target] for target in targets)

    DaskGraphRunner.run = run


def order(needs: dict[str, list[str]]) -> list[tuple[str, tuple[str, ...]]]:
    """The nodes, each after what it needs, with what it needs; names that are no nodes are inputs."""
    ordered: dict[str, tuple[str, ...]] = {}
    open_nodes: set[str] = set()

    def visit(name: str) -> None:
        if name in ordered or name not in needs:
            return
        if name in open_nodes:
            raise ValueError(f"the graph has a cycle at {name}")
        open_nodes.add(name)
        for need in needs[name]:
            visit(need)
        open_nodes.discard(name)
        ordered[name] = tuple(needs[name])

    for name in needs:
        visit(name)
    return list(ordered.items())
