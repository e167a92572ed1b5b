"""A graph as LiteRT's delegates left it, in the bytes that the tool writes."""

from collections.abc import Sequence

from jobs.benchmark.android.runtime_info import DETAILS, OF_THE_FILE


def encoded(plan: Sequence[tuple[str, int] | str]) -> bytes:
    """ModelRuntimeDetails of one graph: (delegate, how many nodes it replaced), or the name of a plain operator."""
    details = DETAILS()
    main = details.graphs.add(id=0, kind=OF_THE_FILE, name="main")
    for entry in plan:
        number = len(main.nodes)
        if isinstance(entry, str):
            main.nodes.add(id=number, name=entry)
            main.plan.append(number)
            continue
        name, count = entry
        replaced = range(number, number + count)
        for node in replaced:
            main.nodes.add(id=node, name="CONV_2D", delegated_to=number + count)
        made = main.nodes.add(id=number + count, name=name)
        made.delegate.name = name
        made.delegate.replaced.extend(replaced)
        main.plan.append(number + count)
    return bytes(details.SerializeToString())
