"""`hpc-cr diff`: what differs between two result files."""

import json
import sys

import click

EXIT_DIFFERENT = 1


@click.command("diff")
@click.argument("first", metavar="A.h5", type=click.Path())
@click.argument("second", metavar="B.h5", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
def command(first, second, as_json):
    """Say what differs between A.h5 and B.h5: job, provenance, completion, numbers.

    Entries are matched by case, realisation, observer and rigidity, stops by value; the ones that
    are finished in both files are compared bit by bit.

    Exit status: 0 the numbers are the same; 1 they differ, or the files have none in common; 2
    wrong input.
    """
    from hpc_cr.io.results import open_results

    with open_results(first) as a, open_results(second) as b:
        found = _compare(a, b)
    if as_json:
        from hpc_cr.cli.document import valid

        json.dump(valid({"a": first, "b": second, **_document(found)}), sys.stdout, indent=2,
                  allow_nan=False)  # fmt: skip
        print()
    else:
        print(f"A  {first}\nB  {second}")
        for lines in (_job(found), _provenance(found), _completion(found), _numbers(found)):
            print("\n".join(lines))
    return 0 if found["same"] else EXIT_DIFFERENT


def _compare(a, b):
    """Everything that differs, by section."""
    from hpc_cr.cli.reading import reading
    from hpc_cr.io import compare
    from hpc_cr.io.distance import compare_numbers
    from hpc_cr.io.errors import ResultError
    from hpc_cr.io.verify import entry_bytes

    if a.kind != b.kind:
        raise ResultError(
            f'{a.path} is a result of kind "{a.kind}", {b.path} of kind "{b.kind}": they have no'
            " numbers in common"
        )
    data = f"{a.kind}/"
    pairs = compare.common_cases(a, b)
    matches = [compare.match(*pair) for pair in pairs]
    found = {
        "cases": tuple(sorted(set(names) - {p[0].case for p in pairs} - {p[1].case for p in pairs})
                       for names in (a.case_names, b.case_names)),
        "n_cases": len(pairs),
        "job": compare.compare_jobs(pairs),
        "provenance": compare.compare_provenance(a, b),
        "completion": [compare.completion(*pair, matched)
                       for pair, matched in zip(pairs, matches, strict=True)],
        "numbers": [],
    }  # fmt: skip
    n_bytes = sum(len(m.entries) * entry_bytes(p[0]) for p, m in zip(pairs, matches, strict=True))
    with reading("comparing", n_bytes) as advance:
        for pair, matched in zip(pairs, matches, strict=True):
            found["numbers"] += compare_numbers(*pair, matched, advance)
    compared = any(n.compared for n in found["numbers"] if n.path.startswith(data))
    found["same"] = compared and not any(n.differ for n in found["numbers"])
    return found


def _document(found):
    """The same for JSON."""
    only_a, only_b = found["cases"]
    lists = ("job", "provenance", "completion", "numbers")
    return {
        "same_numbers": found["same"],
        "cases_only_in_a": only_a,
        "cases_only_in_b": only_b,
        **{name: [item._asdict() for item in found[name]] for name in lists},
    }


def _job(found):
    lines = [
        f"  case {name} is in {file} alone"
        for file, names in zip("AB", found["cases"], strict=True)
        for name in names
    ]
    # a key that differs in the same way in several cases is said once
    cases = {}
    for s in found["job"]:
        values = (s.key, _value(s.first), _value(s.second), s.changes_numbers)
        cases.setdefault(values, []).append(s.case)
    for (key, first, second, changes), names in cases.items():
        where = "" if len(names) == found["n_cases"] else f"case {', '.join(names)}: "
        lines.append(f"  {where}{key}: {first} | {second}"
                     + ("" if changes else "   (no influence on numbers)"))  # fmt: skip
    return [f"Job: A | B{'' if lines else ': the same'}", *lines]


def _provenance(found):
    lines = [f"  {name}: {_value(first)} | {_value(second)}"
             for name, first, second in found["provenance"]]  # fmt: skip
    return [f"Provenance: A | B{'' if lines else ': the same'}", *lines]


def _completion(found):
    lines = [
        f"  {f'case {c.case}: ' if c.case else ''}{c.first} of {c.first_total} |"
        f" {c.second} of {c.second_total}, {c.common} in both"
        for c in found["completion"]
    ]
    return ["Finished entries: A | B", *lines]


def _numbers(found):
    """Datasets that differ or were not compared, in full; of the others only how many."""
    common = sum(c.common for c in found["completion"])
    if not common:
        return ["Numbers: no entry is finished in both files, nothing was compared"]
    same = [n for n in found["numbers"] if not n.differ and not n.note]
    verdict = "the same to the last bit" if found["same"] else "DIFFERENT"
    title = f"Numbers of the {common} entries in both: {verdict} ({len(same)} datasets the same)"
    rows = [(f"/{f'case/{n.case}/' if n.case else ''}{n.path}", n) for n in found["numbers"]
            if n.differ or n.note]  # fmt: skip
    width = max((len(name) for name, _ in rows), default=0)
    return [title, *(f"  {name:{width}}  {_distance(n)}" for name, n in rows)]


def _distance(n):
    """In how many entries a dataset differs, by how much, and where most; or why it is unknown."""
    if n.note:
        return n.note + (f"; {_distance(n._replace(note=''))}" if n.differ else "")
    count = f"{n.differ} of {n.compared} differ"
    if n.absolute != n.absolute:
        return f"{count} ({n.where})"
    if n.absolute == float("inf"):
        return f"{count}, NaN in one of the files ({n.where})"
    if n.absolute == 0:
        return f"{count}, in the sign of a zero or the kind of a NaN only ({n.where})"
    unit = "" if n.units == "1" else f" {n.units}"
    return (f"{count}, by up to {n.absolute:.3g}{unit} ({n.where}),"
            f" relative {n.relative:.2g} ({n.where_relative})")  # fmt: skip


def _value(value):
    if value is None:
        return "not set"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 70 else f"{text[:67]}..."
