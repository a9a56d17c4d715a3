"""The launcher of the user guide: a process for each browser, whose key nobody else gets to see."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from raw_http import WebSocket, ask, request
from VSClickCorrectLib.app import launcher
from VSClickCorrectLib.app.guard import checked_token

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "Resources" / "Docs" / "user-guide.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "Resources" / "Docs").rglob("*.md"))]


def configuration():
    return json.loads(re.search(r"`launcher\.json`:\n\n```\n(.+?)```", GUIDE, re.DOTALL)[1])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def command_lines():
    """Every command line on this machine that can be read, as other users read them."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes()


@pytest.fixture
def launched(tmp_path, bright_models):
    """The port of the guide's launcher, running on this machine with models that take no time to load."""
    port, other = free_port(), free_port()
    text = json.dumps(configuration()).replace("ward.example:9000", f"127.0.0.1:{port}")
    config = json.loads(text.replace("ward.example", "127.0.0.1"))
    config["configuration"] |= {"port": port, "content": "", "log_dir": str(tmp_path)}
    config["configuration"]["proxy_file"] = str(tmp_path / "proxy.txt")
    config["resources"][0]["port_range"] = [other, other]
    app = config["apps"]["trame"]
    assert app["cmd"][0] == "vsclick"
    app["cmd"][:1] = [sys.executable, "-m", "VSClickCorrectLib.cli.main"]
    app["cmd"] += ["--models", str(bright_models), "--device", "cpu"]
    (tmp_path / "launcher.json").write_text(json.dumps(config), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "VSClickCorrectLib.app.launcher", str(tmp_path / "launcher.json")]
    )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.skipif(sys.platform != "linux", reason="command lines are read as Linux tells them")
def test_the_key_reaches_the_page_and_the_process_and_no_command_line(launched, tmp_path):
    body = json.dumps({"application": "trame", "secret": "chosen-by-the-page"}).encode()
    headers = {"Host": "a", "Content-Type": "application/json", "Content-Length": str(len(body))}
    sessions = []
    with socket.create_connection(("127.0.0.1", launched), timeout=120) as connection:
        connection.sendall(request("POST", "/paraview/", headers, body))
        connection.setblocking(False)
        raw = b""
        while b"}" not in raw:
            sessions += [line for line in command_lines() if b"--allow-origin" in line]
            try:
                raw += connection.recv(1 << 16)
            except BlockingIOError:
                time.sleep(0.1)
    session = json.loads(raw.partition(b"\r\n\r\n")[2])
    secret = session["secret"]
    assert len(checked_token(secret)) == 32
    port = int(re.match(r"ws://127\.0\.0\.1:(\d+)/ws\?secret=", session["sessionURL"])[1])
    assert sessions and not [line for line in sessions if secret.encode() in line or b"chosen" in line]
    assert not [path for path in tmp_path.iterdir() if secret in path.read_text(encoding="utf-8")]
    own = {"Host": f"127.0.0.1:{port}"}
    assert ask(port, request("GET", "/index.html", own)).status == 403
    # The page writes the address in small letters.
    page = {**own, "Origin": f"http://127.0.0.1:{launched}"}
    inside = WebSocket(port, f"/ws?secret={secret.lower()}", page)
    assert "result" in inside.call("wslink.hello", {"secret": secret}, number="system:1")
    inside.close()


def test_a_key_is_made_by_the_generator_for_secrets(monkeypatch, tmp_path):
    monkeypatch.setattr("secrets.token_urlsafe", lambda count: f"made-of-{count}-random-bytes")
    config = {**configuration(), "configuration": {**configuration()["configuration"], "sanitize": {}}}
    sessions = launcher.Sessions(config, launcher.launcher.ProxyMappingManagerTXT(tmp_path / "proxy.txt"))
    session = sessions.createSession({"application": "trame", "secret": "mine"})
    assert session["secret"] == "made-of-24-random-bytes"
    assert session["sessionURL"].endswith("/ws?secret=made-of-24-random-bytes")


@pytest.mark.parametrize("word", ["VSCLICK_TOKEN=${secret}", "$secret"])
def test_a_key_on_a_command_line_is_refused(word, tmp_path, capsys):
    config = configuration()
    config["apps"]["trame"]["cmd"].insert(0, word)
    (tmp_path / "launcher.json").write_text(json.dumps(config), encoding="utf-8")
    assert launcher.main([str(tmp_path / "launcher.json")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("launcher: The command of 'trame' holds ${secret}, and everyone")
    assert said.count("\n") == 1


def test_a_command_that_is_not_there_is_told_without_its_key(tmp_path, capsys):
    processes = launcher.Processes({"configuration": {"log_dir": str(tmp_path)}})
    session = {"id": "1", "secret": "only-for-this-test", "cmd": [str(tmp_path / "none"), "app"]}
    assert processes.startProcess(session) is None
    assert capsys.readouterr().err == f"{tmp_path / 'none'} cannot be started ({os.strerror(2)}).\n"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_writes_a_key_on_a_command_line(document):
    text = document.read_text(encoding="utf-8")
    assert not re.findall(r"VSCLICK_TOKEN=|--authKey|--token\b|wslink\.launcher", text)
