"""``vsclick serve`` behind a real nginx with the configuration that ships, all on this machine."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from shutil import which

NGINX, OPENSSL = which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"), which("openssl")
SITE = Path(__file__).resolve().parents[2] / "Resources" / "Deploy" / "nginx.conf"
NAME = "localhost"
_PATIENCE_S = 120
# What Debian's /etc/nginx/nginx.conf says beside `include /etc/nginx/conf.d/*.conf`, as far as it matters.
_MAIN = """
{user} daemon off; pid nginx.pid; error_log error.log;
events {{ worker_connections 256; }}
http {{
  access_log access.log; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  include site.conf;
}}
"""


class ServedGroup:
    """The server and its proxy, for people with passwords.

    Parameters
    ----------
    folder : Path
        An empty one with a short path, as it holds a socket.
    passwords : dict of str
        By login.
    arguments
        What follows ``vsclick serve --socket …``.
    """

    def __init__(self, folder: Path, passwords: dict[str, str], *arguments: object) -> None:
        self.folder = folder
        self.log = folder / "serve.log"
        self.port, self.plain_port = _free_port(), _free_port()
        self._socket = folder / "serve.sock"
        words = [sys.executable, "-m", "VSClickCorrectLib.cli.main", "serve", "--socket", self._socket]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with self.log.open("wb") as output:
            self.server = subprocess.Popen(
                [str(word) for word in (*words, *arguments)], stdout=output, stderr=output, env=environment
            )
        self._write(passwords)
        with (folder / "nginx.log").open("wb") as output:
            words = [str(NGINX), "-p", str(folder), "-c", str(folder / "main.conf")]
            self.nginx = subprocess.Popen(words, stderr=output)
        self._wait()

    @property
    def url(self) -> str:
        """What people type."""
        return f"https://{NAME}:{self.port}/"

    def close(self) -> int:
        """End both, as systemd does; return the server's status."""
        self.server.terminate()
        status = self.server.wait(_PATIENCE_S)
        self.nginx.terminate()
        self.nginx.wait(_PATIENCE_S)
        return status

    def _write(self, passwords: dict[str, str]) -> None:
        lines = []
        for login, password in passwords.items():
            hashed = _told("passwd", "-apr1", password)
            lines.append(f"{login}:{hashed}\n")
        (self.folder / "htpasswd").write_text("".join(lines))
        _told(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"),
            *("-keyout", f"{self.folder}/key.pem", "-out", f"{self.folder}/certificate.pem"),
        )
        (self.folder / "site.conf").write_text(self._site())
        user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
        (self.folder / "main.conf").write_text(_MAIN.format(user=user))

    def _site(self) -> str:
        """Return the site's configuration with this machine's names in it, as somebody sets it up."""
        site = SITE.read_text(encoding="utf-8")
        for shipped, here in {
            "https://vs.hospital.example": f"https://{NAME}:{self.port}",
            "vs.hospital.example": NAME,
            "/etc/nginx/vsclick.pem": f"{self.folder}/certificate.pem",
            "/etc/nginx/vsclick.key": f"{self.folder}/key.pem",
            "/etc/nginx/vsclick.htpasswd": f"{self.folder}/htpasswd",
            "/run/vsclick/serve.sock": str(self._socket),
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen 443": f"listen 127.0.0.1:{self.port}",
        }.items():
            assert shipped in site, shipped
            site = site.replace(shipped, here)
        return site

    def _wait(self) -> None:
        for _ in range(_PATIENCE_S * 20):
            if re.search("answers its proxy at", self.log.read_text()) and _listens(self.port):
                return
            if self.server.poll() is not None or self.nginx.poll() is not None:
                break
            time.sleep(0.05)
        self.server.kill()
        self.nginx.kill()
        said = [log.read_text() for log in (self.log, self.folder / "nginx.log")]
        raise AssertionError("it did not start:\n" + "\n".join(said))


def _told(*words: str) -> str:
    done = subprocess.run([str(OPENSSL), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
