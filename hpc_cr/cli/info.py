"""hpc-cr info: what a result file holds and how it was made, also while a job writes it."""

import json
import sys

import click
import numpy as np


@click.command("info")
@click.argument("out", metavar="OUT.h5", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, for every stop.")
@click.option("--job", "as_job", is_flag=True, help="Only the job (TOML) that gives this file.")
@click.option("--entries", "as_entries", is_flag=True,
              help="Only a line per finished entry: how long it took, where and when.")  # fmt: skip
def command(out, as_json, as_job, as_entries):
    """What a result file holds: provenance, completion, dipoles with errors.

    Of a file that a job is writing also its progress, rate, time left and slow ranks; the job is
    not disturbed.
    """
    from hpc_cr.io.results import open_results

    if as_json + as_job + as_entries > 1:
        raise click.UsageError("--json, --job and --entries exclude each other")
    with open_results(out) as results:
        if as_job:
            print(_job(results), end="")
        elif as_entries:
            _print_entries(results)
        elif as_json:
            _print_json(results)
        else:
            _print(results)


def _print(results):
    """For people: the running job if there is one, provenance, and the closing table."""
    from hpc_cr.campaigns.watch import watch
    from hpc_cr.cli.facts import print_facts, print_watch
    from hpc_cr.cli.summary import print_summary

    print_watch(watch(results), results)
    print_facts(results)
    print()
    print_summary(results.path)


def _job(results):
    """The job as TOML, with the versions that its bits depend on above it."""
    from hpc_cr.cli.facts import maker_of
    from hpc_cr.io.provenance import VERSIONS

    facts = results.provenance
    told = {name: text for name, text in facts.items() if name in VERSIONS}
    # records of format version 1 do not name the libraries, the attributes do
    older = {"libraries": ", ".join(f"{name} {text}" for name, text in told.items())}
    makers = dict.fromkeys(maker_of(older | run) for run in results.runs)
    lines = [f"The job of {results.path.name}, every default resolved: `hpc-cr run` of this text",
             "gives the same bits with the same versions on the same type of processor:",
             *makers, str(facts.get("cpu"))]  # fmt: skip
    return "".join(f"# {line}\n" for line in lines) + f"\n{results.config}"


def _print_entries(results):
    """A line per finished entry, columns separated by tabs, with a header."""
    from hpc_cr.campaigns.accounts import finished_entries

    cases = list(results.each_case())
    of_what = "species" if results.kind == "galaxy" else "realisation observer"
    print(f"case {of_what} rigidity_PV steps core_seconds run began_s ended_s rank"
          " host".replace(" ", "\t"))  # fmt: skip
    for e in zip(*finished_entries(cases), strict=True):
        case, row, rig, run, rank, host, began, ended, seconds, steps, _ = e
        of = cases[case]
        cells = (of.case, *_place(of, row, rig), steps, f"{seconds:.6g}", run,
                 f"{began:.3f}", f"{ended:.3f}", rank, host)  # fmt: skip
        print(*cells, sep="\t")


def _place(case, row, rig):
    """Realisation and observer, or nucleus, and rigidity in PV of an entry."""
    if case.kind == "galaxy":
        return case.species[row], f"{1e-6 * case.rigidities_GV[row, rig]:.6g}"
    return (case.realisation[row], row % case.job.particles.observers,
            f"{case.rigidities[rig]:.6g}")


def _print_json(results):
    from hpc_cr.cli.document import valid

    json.dump(valid(_document(results)), sys.stdout, indent=2, allow_nan=False)
    print()


def _document(results):
    """The JSON document."""
    from hpc_cr.campaigns import accounts
    from hpc_cr.campaigns.watch import watch
    from hpc_cr.cli.summary import module_of

    watched = watch(results)
    cases = list(results.each_case())
    entries = accounts.finished_entries(cases)
    done, total = sum(int(c.done.sum()) for c in cases), sum(c.done.size for c in cases)
    return {
        "format_version": results.provenance["format_version"],
        "complete": done == total,
        "done": done,
        "total": total,
        "kind": results.kind,
        **module_of(results.kind).documents(cases),
        "provenance": {**results.provenance, "runs": results.runs},
        "watch": watched and {
            **watched._asdict(), "ranks": [share._asdict() for share in watched.ranks]
        },
        "cost": {
            "core_seconds": accounts.activities(results.runs),
            "hosts": [share._asdict() for share in accounts.shares(entries)],
            "slow_entries": _slow(cases, entries),
        },
    }  # fmt: skip


def _where(case, row, rig):
    """The place of an entry for JSON."""
    *of_what, rigidity = _place(case, row, rig)
    names = ("species",) if case.kind == "galaxy" else ("realisation", "observer")
    return dict(zip(names, of_what, strict=True)) | {"rigidity_PV": float(rigidity)}


def _slow(cases, entries, count=10):
    """The entries that took longest for what they were, the slowest first."""
    from hpc_cr.campaigns.accounts import slowness

    times = slowness(entries)
    found = []
    for i in np.argsort(-times)[:count]:
        case = cases[entries.case[i]]
        found.append({
            "case": case.case,
            **_where(case, entries.row[i], entries.rig[i]),
            "core_seconds": entries.seconds[i],
            "slowness": times[i],
            "rank": entries.rank[i],
            "host": str(entries.host[i]),
            "run": entries.run[i],
        })  # fmt: skip
    return found
