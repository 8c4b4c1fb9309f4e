"""The timeline shows who was at work when.

File of two runs: the first on 2 ranks of one host, 15 entries, killed; the second on 2000 ranks
of 50 hosts. Entry number n of a run begins at n/2 + 1 s and takes 0.4 s at 1 PV, 0.2 s at 100 TV.
"""

import shutil

import h5py
import matplotlib.colors
import matplotlib.text
import numpy as np
import pytest

from hpc_cr.cli.main import run
from hpc_cr.figures import draw, style, timeline
from hpc_cr.figures.panels import Options
from hpc_cr.io.errors import ResultError

FIRST = 15


def origins(n, runs):
    """Origin, rank of entry number n; `runs` says how many ranks each host has, by run."""
    number = n if n < FIRST else n - FIRST
    which = int(n >= FIRST)
    ranks, per_host = runs[which]
    rank = (7 * number) % ranks
    began = 1 + 0.5 * number
    return (which, f"node{rank // per_host}.site".encode(), began, began), rank


def rewritten(path, source, runs):
    """A copy of the two-case file (40 entries) whose entries come from two runs."""
    shutil.copy(source, path)
    with h5py.File(path, "r+") as file:
        records = file["provenance/runs"][...]
        records[1] = records[0]
        records["ranks"][:2], records["wall"][:2] = [ranks for ranks, _ in runs], [10, 15]
        records["state"][0] = b"killed"
        file["provenance/runs"][...] = records
        n = 0
        for case in ("isotropic", "strong-field"):
            group = file[f"case/{case}/status"]
            for row in range(10):
                for rig, took in enumerate((0.2, 0.4)):
                    origin, rank = origins(n, runs)
                    group["origin"][row, rig] = (*origin[:3], origin[3] + took)
                    group["rank"][row, rig] = rank
                    n += 1
    return path


@pytest.fixture(scope="module")
def history(two_cases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("timeline")
    return rewritten(folder / "history.h5", two_cases, [(2, 2), (4, 2)])


def bars(axes):
    """Kind -> (row, left edge, width) of each bar."""
    return {
        kind: [(p.get_y() + p.get_height() / 2, p.get_x(), p.get_width())
               for container in axes.containers if container.patches[0].get_gid() == kind
               for p in container.patches]
        for kind in {c.patches[0].get_gid() for c in axes.containers}
    }


def test_bars_stand_at_their_times_and_ranks(history):
    figure = draw("timeline", [history], Options(run="0"))
    (axes,) = figure.axes
    found = bars(axes)
    assert sorted(found) == ["isotropic, 1 PV", "isotropic, 100 TV"]
    # entries 0, 2, 4 ... are at 100 TV, rank 7 n mod 2
    expected = [((7 * n) % 2, 1 + 0.5 * n, 0.2) for n in range(0, FIRST, 2)]
    np.testing.assert_allclose(sorted(found["isotropic, 100 TV"]), sorted(expected), atol=1e-9)
    expected = [((7 * n) % 2, 1 + 0.5 * n, 0.4) for n in range(1, FIRST, 2)]
    np.testing.assert_allclose(sorted(found["isotropic, 1 PV"]), sorted(expected), atol=1e-9)
    # the first run was last seen after 10 s
    assert axes.get_xlim() == (0, 10)
    assert "[s]" in axes.get_xlabel()
    title = axes.get_title("left")
    assert "run 0" in title and "killed" in title and "2 ranks" in title
    busy = (8 * 0.2 + 7 * 0.4) / (2 * 10)
    assert f"{100 * busy:.0f} % of the time" in title


def test_last_run_all_runs_and_cases(history):
    figure = draw("timeline", [history])
    assert "run 1" in figure.axes[0].get_title("left")
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["rank 0", "rank 1", "rank 2", "rank 3"]
    hosts = [t.get_text() for t in figure.axes[0].texts]
    assert hosts == ["node0", "node1"]
    both = draw("timeline", [history], Options(run="all"))
    assert len(both.axes) == 2
    # the same colour for the same thing in both panels
    colours = {}
    for axes in both.axes:
        for container in axes.containers:
            bar = container.patches[0]
            colours.setdefault(bar.get_gid(), set()).add(bar.get_facecolor())
    assert len(colours) == 4 and all(len(found) == 1 for found in colours.values())
    legend = {text.get_text() for text in both.legends[0].get_texts()}
    assert legend == colours.keys()
    one = draw("timeline", [history], Options(run="all", cases=("strong-field",)))
    assert [bars(axes).keys() for axes in one.axes] == [{"strong-field, 100 TV",
                                                         "strong-field, 1 PV"}]


def test_many_ranks_are_drawn_by_host(two_cases, tmp_path, monkeypatch):
    path = rewritten(tmp_path / "many.h5", two_cases, [(2, 2), (2000, 40)])
    monkeypatch.setattr(timeline, "MAX_ROWS", 8)
    monkeypatch.setattr(timeline, "SHARED_ROWS", 5)
    figure = draw("timeline", [path])
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.get_yticklabels()]
    # 25 entries of ranks 0, 7, ..., 168: hosts 0 to 4, 5 to 6 ranks each, five rows at most
    assert labels == ["node0", "node1", "node2", "node3", "node4"]
    # the area of a row's patches is the time at work by the number of its ranks
    areas = np.zeros(5)
    for patch in axes.patches:
        values, edges, base = patch.get_data()
        areas[round(float(np.mean(base)) - 0.2)] += np.sum((base - values) / 0.8 * np.diff(edges))
    ranks = 7 * np.arange(25)
    took = np.where((np.arange(25) + FIRST) % 2 == 0, 0.2, 0.4)
    for host in range(5):
        mine = ranks // 40 == host
        assert areas[host] == pytest.approx(took[mine].sum() / mine.sum(), rel=1e-6)
    assert "share of a row's ranks" in axes.get_title("left")


def test_open_intervals():
    edges = np.linspace(0, 4, 5)
    found = timeline.at_work(np.array([0.5, 1.0, 1.0]), np.array([2.5, 1.5, 3.0]), edges)
    np.testing.assert_allclose(found, [0.5, 1 + 0.5 + 1, 0.5 + 1, 0.0])
    assert (timeline.at_work(np.array([]), np.array([]), edges) == 0).all()


@pytest.mark.parametrize(
    ("hosts", "per_host", "rows"),
    [(1, 48, 48), (1, 128, 24), (3, 100, 24), (16, 64, 16), (100, 32, 20)],
)
def test_rows(hosts, per_host, rows):
    class Run:
        leaders = [(f"node{host}", host * per_host + rank)
                   for host in range(hosts) for rank in range(per_host)]  # fmt: skip

    found = timeline._rows(Run)
    assert len(found) <= rows
    assert [one for row in found for one in row.members] == Run.leaders


def test_text_is_legible_and_nothing_sticks_out(history):
    figure = draw("timeline", [history], Options(run="all"))
    assert figure.get_figwidth() == style.DOUBLE
    figure.draw_without_rendering()
    texts = figure.findobj(matplotlib.text.Text)
    assert min(text.get_fontsize() for text in texts if text.get_text()) >= 7
    box = figure.get_tightbbox()
    assert box.x0 > -0.02 and box.x1 < style.DOUBLE + 0.02
    assert box.y0 > -0.02 and box.y1 < figure.get_figheight() + 0.02


def test_wrong_use(history, nothing_done, tmp_path, capsys):
    for number in ("2", "x"):
        with pytest.raises(ResultError, match=rf"no run '{number}'; there are 2"):
            draw("timeline", [history], Options(run=number))
    with pytest.raises(ResultError, match="no run"):
        draw("timeline", [nothing_done], Options(run="all"))
    assert run(["figure", "timeline", str(nothing_done)]) == 2
    assert "finished an entry" in capsys.readouterr().err
    assert run(["figure", "timeline", str(history), "--run", "0", "-o",
                str(tmp_path / "a.png")]) == 0
