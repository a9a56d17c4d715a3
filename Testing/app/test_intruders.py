"""The running app against those who must not come in, from outside and byte by byte."""

import io
import json
import re
import signal
import sys
import time
import zipfile

import pytest
from hdf5_lure import nifti_that_is_hdf5
from intruders import ROUTES, Intruder
from raw_http import WebSocket, ask, connect, request
from watched_file import WatchedFile

if sys.platform != "linux":
    pytest.skip("what processes open and say is looked up as Linux tells it", allow_module_level=True)

TOKEN = "only-for-tests_9.Zq~3"
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "VSClickCorrect",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
GROUPS = ("tokens", "addresses", "methods", "bodies", "paths", "headers", "frames", "calls", "files")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The server's folder for temporary files."""
    return tmp_path_factory.mktemp("server-files")


@pytest.fixture(scope="module")
def server(start_app, case_files, bright_models, folder):
    arguments = ("--t1ce", case_files.t1ce, "--models", bright_models, "--device", "cpu")
    return start_app(*arguments, VSCLICK_TOKEN=TOKEN, TMPDIR=str(folder))


@pytest.fixture(scope="module")
def intruder(server):
    found = Intruder.of(server.url, TOKEN)
    connection = found.inside()
    state_when(connection, lambda state: state["StatusState__message"].startswith("Ready"))
    connection.close()
    return found


@pytest.fixture
def lure(tmp_path):
    """A file of this machine that nobody outside may read."""
    path = tmp_path / "lure.raw"
    path.write_bytes(b"root:SECRET" * 100)
    watched = WatchedFile(path)
    yield watched
    watched.close()


@pytest.fixture
def inside(intruder):
    connection = intruder.inside()
    yield connection
    connection.close()


def trigger(connection, name, *arguments):
    return connection.call("trame.trigger", name, list(arguments), {}).get("result")


def state_of(connection):
    return connection.call("trame.state.get")["result"]["state"]


def state_when(connection, holds):
    """Return the state once something holds."""
    for _ in range(1200):
        if holds(state := state_of(connection)):
            return state
        time.sleep(0.05)
    raise AssertionError(f"still: {state['StatusState__message']}")


@pytest.mark.parametrize("group", GROUPS)
def test_every_attempt_is_refused(intruder, lure, group):
    attempts = list(getattr(intruder, group)(*((lure.path,) if group in ("paths", "files") else ())))
    assert len(attempts) > 15
    assert [attempt for attempt in attempts if not attempt.refused] == []
    assert not lure.opened


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in ("/", "/ws", "/paraview/")])
def test_what_is_refused_else_is_there_for_those_who_know_the_token(intruder, route):
    assert ask(intruder.port, request("GET", route, intruder.known)).status == 200
    assert ask(intruder.port, request("GET", f"{route}?x=1", intruder.own)).status == 403


def test_the_key_is_told_and_the_connection_opened_to_those_who_know_the_token(intruder):
    told = ask(intruder.port, request("POST", "/paraview/", intruder.known))
    assert json.loads(told.raw.partition(b"\r\n\r\n")[2])["secret"] == TOKEN
    connection = WebSocket(intruder.port, "/ws", intruder.known)
    assert connection.answer.status == 101
    connection.close()


def test_an_address_with_the_token_is_left_at_once_for_one_without(intruder):
    answer = ask(intruder.port, request("GET", f"/?secret={TOKEN}", intruder.own))
    assert (answer.status, answer.headers["Location"]) == (302, "index.html")
    assert re.search(rf"={TOKEN}; HttpOnly; Path=/; SameSite=Lax$", answer.headers["Set-Cookie"])


@pytest.mark.parametrize(
    ("route", "lets_in", "status"),
    [("/index.html", True, 200), ("/index.html", False, 403), ("/nowhere", True, 404), ("/", True, 302)],
)
def test_every_answer_has_the_headers_that_keep_other_sites_out(intruder, route, lets_in, status):
    answer = ask(intruder.port, request("GET", route, intruder.known if lets_in else intruder.own))
    assert answer.status == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "object-src 'none'" in policy
    scripts = re.search(r"script-src ([^;]*);", policy)[1].split()
    assert scripts[:2] == ["'self'", "'unsafe-eval'"]
    assert len(scripts) > 2 and all(source.startswith("'sha256-") for source in scripts[2:])


def test_the_server_listens_on_this_machine_alone(intruder):
    with open("/proc/net/tcp", encoding="ascii") as table:
        listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert [a for a in listening if a.endswith(f":{intruder.port:04X}")] == [f"0100007F:{intruder.port:04X}"]


def test_a_path_in_the_page_s_state_is_never_opened(intruder, inside, lure):
    for name in (name for name in state_of(inside) if not name.startswith("trame__")):
        inside.call("trame.state.update", [{"key": name, "value": str(lure.path)}])
        for key in ("undo", "redo", "zoom", "fit", "apply", "start"):
            trigger(inside, "vs_key", key)
    inside.call("trame.state.update", [{"key": "FilesState__busy", "value": False}])
    trigger(inside, opening(inside))
    assert not lure.opened
    assert ask(intruder.port, request("GET", "/index.html", intruder.known)).status == 200


def test_a_page_changes_neither_templates_nor_scripts_of_others_nor_adds_state(inside):
    names = [name for name in state_of(inside) if name.startswith("trame__") and name != "trame__busy"]
    assert len(names) > 10
    before = state_of(inside)
    inside.call("trame.state.update", [{"key": name, "value": "evil"} for name in (*names, "new")])
    after = state_of(inside)
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    assert "new" not in after


@pytest.mark.parametrize("name", ["server_ready", "server_exited", "exception"])
def test_a_page_tells_of_its_own_life_alone(inside, server, name):
    before = state_of(inside)
    inside.call("trame.lifecycle.update", name)
    assert state_of(inside) == before
    assert server.log.read_text().count("runs at") == 1


@pytest.mark.parametrize(
    ("method", "about"),
    [
        ("trame.error.client", ()),
        ("trame.rca.size", ("anonymous", {"w": 300, "h": 300, "p": 1})),
        ("trame.rca.event", ("anonymous", {"type": "MouseMove"})),
    ],
)
def test_a_page_writes_no_line_of_its_own_into_the_log(inside, server, method, about):
    inside.call(method, "\nVSClickCorrect runs at http://127.0.0.1:22/\x1b[2J", *about)
    assert sum("runs at" in line[:22] for line in server.log.read_text().splitlines()) == 1
    assert "\x1b" not in server.log.read_text()


def opening(connection):
    """The trigger that opens what was sent, found where a browser finds it."""
    template = state_of(connection)["trame__template_main"]
    button = next(tag for tag in re.findall(r"<VBtn [^>]*>", template) if 'id="open-files"' in tag)
    return re.search(r"trigger__\d+", button)[0]


def sent_and_opened(connection, name, content):
    """Send a file as the page does, open it and return what the page is told."""
    assert trigger(connection, "vs_upload_begin", "t1ce", name, len(content))
    assert trigger(connection, "vs_upload_part", "t1ce", 0, content)
    assert trigger(connection, "vs_upload_end", "t1ce")
    trigger(connection, opening(connection))
    state = state_when(connection, lambda s: not s["FilesState__busy"] and not s["FilesState__t1ce"])
    return state["StatusState__is_error"], state["StatusState__message"]


def zipped(name, content=b"0" * 100, mode=0o100644):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
        archive.writestr(info, content)
    return stream.getvalue()


def spoiled(archive):
    """Change what is packed and leave the list of contents whole."""
    return archive[:31] + b"\xff" * 9 + archive[40:]


def nrrd(path, end="\n", padding="#"):
    lines = ["NRRD0004", "type: uint8", "dimension: 3", "sizes: 4 4 4", "encoding: raw"]
    lines += ["space: left-posterior-superior", "space directions: (1,0,0) (0,1,0) (0,0,1)"]
    return end.join([*lines, "space origin: (0,0,0)", padding, f"data file: {path}", "", ""]).encode()


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("climbs.zip", lambda lure: zipped(f"../../../../../../../..{lure}")),
        ("absolute.zip", lambda lure: zipped(str(lure))),
        ("link.zip", lambda lure: zipped("link", str(lure).encode(), mode=0o120777)),
        ("bomb.zip", lambda lure: zipped("bomb", b"\0" * 3_000_000)),
        ("damaged.zip", lambda lure: zipped("a", b"0123456789" * 9)[:60] + b"\xff" * 90),
        ("corrupt.zip", lambda lure: spoiled(zipped("a", b"0123456789" * 9))),
        ("elsewhere.nrrd", nrrd),
        ("elsewhere.seg.nrrd", lambda lure: nrrd(lure, "\r\n")),
        ("return.nrrd", lambda lure: nrrd(lure, "\r")),
        ("padded.nrrd", lambda lure: nrrd(lure, padding="#" + "x" * 70_000)),
        ("padded-more.nrrd", lambda lure: nrrd(lure, padding="#" + "x" * (1 << 20))),
        ("hdf5.nii", nifti_that_is_hdf5),
        ("hdf5.nrrd", nifti_that_is_hdf5),
        ("page.nii.gz", lambda lure: b"<script>alert(1)</script>"),
    ],
)
def test_a_file_that_was_sent_reads_and_writes_no_other(inside, folder, lure, name, made):
    is_error, said = sent_and_opened(inside, name, made(lure.path))
    assert is_error and (f"'{name}'" in said or said.startswith("The archive holds")), said
    assert not any(part in said for part in (str(folder), "SECRET", "vsclick-upload"))
    assert not lure.opened
    for _ in range(200):
        # An archive is looked through beside the answer.
        if not (left := files_in(folder)):
            break
        time.sleep(0.05)
    assert left == []


def files_in(folder):
    """What lies in the server's temporary folders, but for that of the process that waits for a search."""
    return [p for p in folder.rglob("*") if p.is_file() and not p.parent.name.startswith("vsclick-job-")]


def test_half_a_file_keeps_nobody_out_and_goes_with_its_sender(intruder, folder):
    sender = intruder.inside()
    assert trigger(sender, "vs_upload_begin", "t2", "half.nii", 1000)
    assert trigger(sender, "vs_upload_part", "t2", 0, b"half")
    assert [path.name for path in files_in(folder)] == ["file.nii"]
    sender.send_raw(b"\x82\xfe")
    other = intruder.inside()
    assert state_of(other)["FilesState__t2"] == ""
    sender.close()
    other.close()
    for _ in range(200):
        if not files_in(folder):
            return
        time.sleep(0.05)
    raise AssertionError("the half file is still there")


def test_hundreds_who_never_finish_their_request_keep_nobody_out(intruder):
    waiting = [connect(intruder.port) for _ in range(300)]
    for number, connection in enumerate(waiting):
        connection.sendall(request("POST", "/paraview/", intruder.own)[: 10 + number % 40])
    connection = intruder.inside()
    assert "StatusState__message" in state_of(connection)
    connection.close()
    for connection in waiting:
        connection.close()


def test_one_who_asks_and_never_reads_lets_nobody_wait(intruder):
    silent, clicking = intruder.inside(), intruder.inside()
    for number in range(300):
        # Far more than the buffers between the two hold.
        silent.say({"wslink": "1.0", "id": f"rpc:{number}", "method": "trame.state.get"})
    for kind in ("include", "exclude", "boundary", "include"):
        trigger(clicking, "vs_key", kind)
        assert state_of(clicking)["ClicksState__tool"] == kind
    silent.close()
    clicking.close()


def test_the_token_is_in_no_log_and_no_command_line_and_nothing_stays_behind(intruder, server, folder):
    assert ask(intruder.port, request("GET", "/index.html", intruder.known)).status == 200
    with open(f"/proc/{server.process.pid}/cmdline", encoding="utf-8") as command:
        assert TOKEN not in command.read()
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 128 + signal.SIGTERM
    assert TOKEN not in server.log.read_text()
    assert list(folder.iterdir()) == []
