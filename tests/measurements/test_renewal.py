"""Renewal of the table from the Cosmic-Ray DataBase.

Rows have the fields that the client crdb 0.12 makes: energies in GeV, phases in degrees of any
turn, errors downwards and upwards, 0 for errors that were not published. The last tests go through
the real client over real sockets: a proxy on this machine plays the database, for the client asks
one fixed https address. They are skipped where crdb is not installed.
"""

import csv
import http.server
import io
import shutil
import ssl
import subprocess
import threading

import numpy as np
import pytest

from hpc_cr.measurements import dipole, renewal

FIELDS = [("quantity", "U32"), ("sub_exp", "U100"), ("exp_type", "U16"), ("e_type", "U4"),
          ("e", "f8"), ("e_bin", "f8", (2,)), ("value", "f8"), ("err_sta", "f8", (2,)),
          ("err_sys", "f8", (2,)), ("ads", "U32"), ("is_upper_limit", "?")]  # fmt: skip
EAS_TOP = "2009ApJ...692L.130A"
NEW = "2031ApJ...999....1Z"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HPC_CR_DATA", str(tmp_path / "data"))


def database(*rows):
    """Rows (quantity, experiment, GeV, value, error, paper, limit) as the client's table."""
    full = [(q, f"{name}(2000/01-2001/01)", "ground", "ETOT", e, (e, e), v, (s, s), (0, 0), ads, u)
            for q, name, e, v, s, ads, u in rows]  # fmt: skip
    return np.array(full, FIELDS).view(np.recarray)


ROWS = [
    ("DipoleAmplitude", "EAS-TOP", 370e3, 7.1e-4, 2.4e-4, EAS_TOP, 0),
    ("DipolePhase", "EAS-TOP", 372e3, -150.0, 20.0, EAS_TOP, 0),
    ("DipolePhase", "EAS-TOP", 110e3, 6.0, 18.0, EAS_TOP, 0),
    ("DipoleAmplitude", "Zeta", 5e6, 3e-3, 1e-3, NEW, 0),
    ("DipoleAmplitude", "Zeta", 9e6, 8e-3, 0.0, NEW, 1),
    ("DipoleAmplitude", "Zeta", 2e6, 2e-3, 0.0, NEW, 0),  # no error: unusable
]


def test_points_of_the_database():
    points, unusable = renewal.points_of(database(*ROWS), [row[1] for row in ROWS])
    assert unusable == 1
    eas_top, zeta, limit = points
    assert (eas_top.energy, eas_top.amplitude) == pytest.approx((0.37, 7.1e-4))
    assert (eas_top.phase_deg, eas_top.phase_low_deg) == pytest.approx((210.0, 20.0))
    assert np.isnan([eas_top.sys_low, eas_top.energy_low, zeta.phase_deg]).all()
    assert limit.upper_limit and np.isnan(limit.stat_high) and not zeta.upper_limit
    assert (zeta.technique, zeta.year, zeta.reference) == ("air showers", 2031, NEW)


def test_merging_keeps_what_the_database_does_not_say():
    own = dipole.read().points
    fetched, _ = renewal.points_of(database(*ROWS), [row[1] for row in ROWS])
    points, renewed, new, kept = renewal.merge(own, fetched)
    # the other EAS-TOP point of that paper is not in the answer, so no longer in the table
    assert (renewed, new, kept) == (1, 2, len(own) - 2)
    assert len(points) == renewed + new + kept
    (point,) = [p for p in points if p.bibcode == EAS_TOP]
    assert (point.amplitude, point.phase_deg) == (7.1e-4, 210.0)
    assert (point.arxiv, point.technique) == ("0901.2740", "air showers")
    limits = [p for p in points if p.experiment == "KASCADE"]
    assert [p.confidence_percent for p in limits] == [95, 95]
    # negative control: the same energy in another paper is another point
    other = [p._replace(bibcode="2000ApJ...000....0X") for p in fetched]
    assert renewal.merge(own, other)[1] == 0


def test_superseded_stays_superseded_and_remarks_follow_the_value():
    old = next(p for p in dipole.read().points if not p.shown and p.bibcode.startswith("2012"))
    clipped = next(p for p in dipole.read().points if "lower error" in p.note and p.shown)
    points = renewal.merge([old, clipped], [old._replace(shown=True, note=""), clipped])[0]
    assert [p.shown for p in points if p.bibcode == old.bibcode] == [False]
    assert not [p for p in points if "lower error" in p.note]


def test_a_superseded_paper_stays_hidden_at_other_energies():
    own = dipole.read().points
    hidden = [p for p in own if p.bibcode == "2012ApJ...746...33A"]
    assert len(hidden) == 2 and not any(p.shown for p in hidden)
    moved = [p._replace(energy=1.05 * p.energy, shown=True, note="") for p in hidden]
    points, renewed, new, _ = renewal.merge(own, moved)
    assert (renewed, new) == (0, 2)
    found = [p for p in points if p.bibcode == hidden[0].bibcode]
    assert [p.energy for p in found] == [p.energy for p in moved]
    assert not any(p.shown for p in found)
    assert all("superseded" in p.note and renewal.HIDDEN in p.note for p in found)
    # negative control: papers of which we show points, and papers without a reference
    for other in (next(p for p in own if p.shown), hidden[0]._replace(bibcode="")):
        fetched = [other._replace(energy=1.05 * other.energy, shown=True)]
        (point,) = [p for p in renewal.merge(own, fetched)[0] if p.energy == fetched[0].energy]
        assert point.shown


def test_written_table_reads_back(tmp_path):
    path = tmp_path / "deep" / "folder" / dipole.NAME
    own = dipole.read().points
    renewal.write(path, own, "renewed 2030-01-02 from there")
    table = dipole.read(path)
    assert table.renewed == "2030-01-02" and len(table.points) == len(own)
    for before, after in zip(own, table.points, strict=True):
        assert all(a == b or np.isclose(a, b, rtol=1e-5, equal_nan=True)
                   for a, b in zip(before, after, strict=True)
                   if not isinstance(a, str))  # fmt: skip
        assert [a for a in before if isinstance(a, str)] == [a for a in after if isinstance(a, str)]
    assert [p.name for p in path.parent.iterdir()] == [dipole.NAME]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(dipole.TableError, match="cannot write"):
        renewal.write(tmp_path / "file" / dipole.NAME, dipole.read().points, "renewed x")


# ---- the real client


def answer():
    """The whole table in the database's format csv-asimport, 24 columns; one value changed."""
    text = io.StringIO()
    text.write("# Format: csv (same format as used for data import in CRDB)\n")
    rows = csv.writer(text, lineterminator="\n")
    for p in dipole.read().points:
        if p.source != "database":
            continue
        amplitude = 6.6e-4 if (p.bibcode, p.energy) == (EAS_TOP, 0.37) else p.amplitude
        stat = [0 if np.isnan(s) else s for s in (-p.stat_low, p.stat_high)]
        for quantity, value, errors in (
            ("DipoleAmplitude", amplitude, stat),
            ("DipolePhase", p.phase_deg, [p.phase_low_deg, p.phase_high_deg]),
        ):
            if np.isnan(value):
                continue
            gev = p.energy * 1e6
            errors = [0 if np.isnan(s) else s for s in errors]
            rows.writerow([p.experiment, "ground", "", 1990, f"{p.experiment}(1990/01-2000/01)", "",
                           0, "", 1, "1990/01/01-000000:2000/01/01-000000", p.bibcode, "", quantity,
                           "ETOT", gev, gev, gev, value, *errors, 0, 0, int(p.upper_limit),
                           0])  # fmt: skip
    return text.getvalue().encode()


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A proxy that answers https requests itself; what was asked is kept in a list."""
    pytest.importorskip("crdb")
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                    "-subj", "/CN=lpsc.in2p3.fr", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True, timeout=60)  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asked, body = [], [answer()]

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            with context.wrap_socket(self.connection, server_side=True) as inner:
                asked.append(inner.recv(65536).split(b"\r\n")[0].decode())
                inner.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body[0])
            self.close_connection = True

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.delenv("no_proxy", raising=False)
        yield asked, body
        server.shutdown()
        thread.join(10)


def test_through_the_real_client(stand_in):
    asked, _ = stand_in
    path, counts = renewal.renew(timeout=20)
    assert asked[0] == "lpsc.in2p3.fr:443"
    assert asked[1].startswith("GET /crdb/_export_all_data.php?format=csv-asimport ")
    own = dipole.read().points
    n_database = sum(p.source == "database" for p in own)
    assert counts == (n_database, 0, len(own) - n_database, 0)
    table = dipole.current()
    assert table.path == path and table.renewed and len(table.points) == len(own)
    assert [p.amplitude for p in table.points if p.energy == 0.37] == [6.6e-4]
    same = [p.amplitude for p in own if p.energy != 0.37]
    np.testing.assert_allclose([p.amplitude for p in table.points if p.energy != 0.37], same)
    # asked again: no cache in between
    renewal.renew(timeout=20)
    assert len(asked) == 4


@pytest.mark.parametrize("body", [b"", b"<html>maintenance</html>", b"a\nb\nc\n"])
def test_an_answer_that_is_no_table(stand_in, body, tmp_path):
    stand_in[1][0] = body
    with pytest.raises(dipole.TableError) as error:
        renewal.renew(timeout=20)
    assert "\n" not in str(error.value) and not (tmp_path / "data").exists()


def test_nobody_answers(monkeypatch, tmp_path):
    pytest.importorskip("crdb")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # a port where nobody listens
    with pytest.raises(dipole.TableError, match="no answer from .*refused") as error:
        renewal.renew(timeout=5)
    assert "\n" not in str(error.value) and not (tmp_path / "data").exists()
