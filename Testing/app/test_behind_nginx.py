"""Two annotators on one worklist, each in a real Chromium, through nginx as it is set up for a group."""

import base64
import http.client
import re
import shutil
import socket
import ssl
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from bright_ball import ball, ball_volume, write_image
from page_mouse import until
from served_group import NAME, NGINX, OPENSSL, ServedGroup
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.worklist.worklist import Worklist

if NGINX is None or OPENSSL is None:
    pytest.skip("nginx or openssl is not installed; on Debian: nginx-light openssl", allow_module_level=True)
if find_spec("playwright") is None:
    pytest.skip("the tests in a browser need the Python package playwright", allow_module_level=True)

from playwright.sync_api import expect

PATIENCE_MS = 120_000
PASSWORDS = {"anna": "Anna's password", "bert": "Bert's password"}


@pytest.fixture(scope="module")
def group(bright_models):
    """A group of two with three cases."""
    # Short, as a socket's path has at most 107 letters.
    folder = Path(mkdtemp(prefix="vs-"))
    for name in ("one", "two", "three"):
        case = folder / "cases" / name
        case.mkdir(parents=True)
        write_image(case / "T1ce.nii.gz", ball_volume().array)
        write_image(case / "mask.nii.gz", ball(radius=5.0).astype(np.uint8))
    arguments = (folder / "cases", "--output", folder / "results", "--people", 2)
    group = ServedGroup(folder, PASSWORDS, *arguments, "--models", bright_models, "--device", "cpu")
    yield group
    group.close()
    shutil.rmtree(folder)


def asked(group, path="/index.html", login="", password=None, host=NAME, **headers):
    """Ask nginx; return status, headers and text."""
    context = ssl.create_default_context(cafile=group.folder / "certificate.pem")
    connection = http.client.HTTPSConnection(host, group.port, timeout=60, context=context)
    if login:
        pair = f"{login}:{PASSWORDS[login] if password is None else password}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def holders(group):
    """Who has which case open, as everyone on the worklist sees it."""
    rows = Worklist.open(group.folder / "cases", group.folder / "results").rows()
    return {row.case.name: row.holder.split(" on ")[0] for row in rows if row.holder}


def test_without_a_password_nothing_is_served_and_nothing_begins(group):
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    for path in ("/", "/index.html", "/ws", "/paraview/", "/__vsclick/vsclick.js", "/../etc/passwd"):
        for headers in ({}, {"X-Remote-User": "anna"}, {"X-Remote-User": "anna", **upgrade}):
            status, _, text = asked(group, path, **headers)
            assert status in (400, 401) and "vsclick" not in text.lower()
    assert asked(group, login="anna", password="guessed")[0] == 401
    assert "came" not in group.log.read_text()


def test_in_the_clear_one_is_sent_to_where_it_is_not(group):
    connection = http.client.HTTPConnection("127.0.0.1", group.plain_port, timeout=60)
    connection.request("GET", "/a?b", headers={"Host": "evil.example"})
    answer = connection.getresponse()
    assert answer.status == 308 and answer.headers["Location"] == f"https://{NAME}:{group.port}/a?b"


def test_another_name_and_an_old_tls_get_no_answer(group):
    context = ssl.create_default_context(cafile=group.folder / "certificate.pem")
    for name in ("evil.example", None):
        context.check_hostname = name is not None
        with (
            socket.create_connection(("127.0.0.1", group.port)) as raw,
            pytest.raises(ssl.SSLError) as refused,
        ):
            context.wrap_socket(raw, server_hostname=name)
        assert "UNRECOGNIZED_NAME" in str(refused.value)
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", group.port)) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname=NAME)


@pytest.fixture(scope="module")
def pages(group, chromium):
    """A page for each, opened at the same time; Bert's browser says that it is Anna's."""
    found, contexts = {}, []
    for login, headers in (("anna", {}), ("bert", {"X-Remote-User": "anna"})):
        contexts.append(
            chromium.new_context(
                ignore_https_errors=True,
                http_credentials={"username": login, "password": PASSWORDS[login]},
                extra_http_headers=headers,
                viewport={"width": 1280, "height": 800},
            )
        )
        page = found[login] = contexts[-1].new_page()
        page.troubles = []
        page.on("pageerror", lambda error, page=page: page.troubles.append(str(error)))
        page.goto(group.url)
        expect(page.locator("#gateway")).to_contain_text("Your session is being started")
    for page in found.values():
        expect(page.locator("#status")).to_have_text(re.compile("Case .* is ready"), timeout=PATIENCE_MS)
    yield found
    for context in contexts:
        context.close()


def case_of(page):
    return page.locator("#worklist-case").inner_text()


def test_each_works_on_a_case_of_their_own_under_their_own_name(group, pages):
    assert {case_of(pages["anna"]), case_of(pages["bert"])} <= {"one", "two", "three"}
    assert holders(group) == {case_of(pages["anna"]): "anna", case_of(pages["bert"]): "bert"}
    said = group.log.read_text()
    assert said.count("anna came") == said.count("bert came") == 1


def test_what_one_does_is_in_their_case_and_in_no_other(group, pages):
    anna, bert = case_of(pages["anna"]), case_of(pages["bert"])
    pages["anna"].keyboard.press("x")
    pages["anna"].keyboard.press("Enter")

    def record(case):
        return Worklist.open(group.folder / "cases", group.folder / "results").record(case)

    until(pages["anna"], lambda: record(anna).clicks == 1)
    assert record(anna).annotator == "anna"
    assert record(bert).clicks == 0 and record(bert).annotator != "anna"


def test_loading_the_page_again_leads_back_to_ones_own_session(group, pages):
    bert = pages["bert"]
    case = case_of(bert)
    bert.reload()
    expect(bert.locator("#worklist-case")).to_have_text(case, timeout=PATIENCE_MS)
    assert group.log.read_text().count("bert came") == 1


def test_the_one_who_comes_third_is_told_that_it_is_full(group, pages):
    # A third login of the file, which nginx reads at each request.
    with (group.folder / "htpasswd").open("a") as file:
        file.write("carl:{PLAIN}Carl's password\n")
    PASSWORDS["carl"] = "Carl's password"
    status, headers, text = asked(group, login="carl")
    assert status == 503 and "All places are taken (2 in all); try again later." in text
    assert headers["Strict-Transport-Security"] and headers["Server"] == "nginx"


def test_passwords_go_no_further_and_keys_stand_in_no_log_and_on_no_command_line(group, pages):
    ask = "fetch('paraview/', {method: 'POST', body: '{}'}).then(answer => answer.json())"
    told = {login: page.evaluate(ask) for login, page in pages.items()}
    assert told["anna"]["secret"] != told["bert"]["secret"]
    assert {one["sessionURL"] for one in told.values()} == {"wss://USE_HOST/ws"}
    said = (group.log.read_text() + (group.folder / "access.log").read_text()).encode()
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(path.read_bytes())
    assert any(b"--annotator=anna" in line for line in lines) or not lines
    for hidden in (*(one["secret"] for one in told.values()), *PASSWORDS.values()):
        assert hidden.encode() not in said + b"".join(lines)


def test_at_the_end_all_cases_are_closed_and_all_journals_whole(group, pages):
    anna, bert = pages["anna"], pages["bert"]
    case = case_of(anna)
    assert group.close() == 143
    assert holders(group) == {}
    said = group.log.read_text()
    assert said.count("0 of 2 places are taken") == 1
    work = Worklist.open(group.folder / "cases", group.folder / "results", "anna")
    work.go_to(case)
    assert len(Journal(work.opened.journal_path).text.splitlines()) >= 2
    work.close()
    for page in (anna, bert):
        expect(page.locator("#gone")).to_be_visible(timeout=PATIENCE_MS)
        assert page.troubles == []
