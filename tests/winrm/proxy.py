"""An HTTP proxy that wants NTLM, for tests: the sign-in is pyspnego's.

It listens on a free port of 127.0.0.1 and prints the port. What happens is written to the file LOG, one line each. Every
name leads to `--to PORT` on 127.0.0.1. It ends when its standard input does.
"""

import argparse
import base64
import http.client
import http.server
import os
import select
import socket
import sys
import threading

import spnego

USER, DOMAIN, PASSWORD = "svc-cm", "CONTOSO", "Contoso-Secret-1"
PAGE = b"<html><body>Sign in first.</body></html>"
options = argparse.Namespace()
log_lock = threading.Lock()


def log(line):
    with log_lock, open(options.log, "a", encoding="utf-8") as file:
        file.write(line + "\n")


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    context = None

    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        if not self.is_signed_in():
            return
        log(f"tunnel to {self.path}")
        with socket.create_connection(("127.0.0.1", options.to)) as far:
            self.send_response(200, "Connection established")
            self.end_headers()
            pair = {self.connection: far, far: self.connection}
            while True:
                for source in select.select(list(pair), [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        self.close_connection = True
                        return
                    pair[source].sendall(data)

    def do_HEAD(self):
        if not self.is_signed_in():
            return
        log(f"{self.command} {self.path}")
        far = http.client.HTTPConnection("127.0.0.1", options.to)
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        far.request(self.command, "/" + self.path.split("/", 3)[3], headers=headers)
        answer = far.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Via", "1.1 ntlm.contoso.com")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD

    def is_signed_in(self):
        scheme, _, token = self.headers.get("Proxy-Authorization", "").partition(" ")
        if not scheme:
            if self.context is not None and self.context.complete:
                return True
            log("asked")
            return self.wants(options.offer)
        if scheme == "Basic":
            log("Basic")
            return base64.b64decode(token).decode() == f"{DOMAIN}\\{USER}:{PASSWORD}" or self.wants(options.offer)
        if options.mode == "no-challenge":
            log(f"no challenge for {scheme}")
            return self.wants(options.offer)
        if self.context is None:
            self.context = spnego.server(protocol="ntlm")
        try:
            reply = self.context.step(base64.b64decode(token))
        except spnego.exceptions.SpnegoError as error:
            log(f"refused: {type(error).__name__}")
            return self.wants(options.offer)
        if self.context.complete:
            log(f"signed in: {self.context.client_principal} by {scheme}")
            return True
        challenge = base64.b64encode(reply).decode()
        if options.mode == "garbage":
            challenge = base64.b64encode(b"NTLMSSP\0\x02\0\0\0 and no more").decode()
        return self.wants([f"{scheme} {challenge}"])

    def wants(self, challenges):
        self.send_response(407)
        for challenge in challenges:
            self.send_header("Proxy-Authenticate", challenge)
        self.send_header("Content-Type", "text/html")
        if options.mode == "closing":
            self.send_header("Connection", "close")
        if options.mode == "chunked" and self.command != "HEAD":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(PAGE), PAGE))
            self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
            return False
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(PAGE)
        return False


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # which is that somebody hung up
            log(f"error: {error!r}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--to", type=int, required=True)
    parser.add_argument("--offer", action="append", required=True)
    parser.add_argument("--mode", default="ok")
    parser.parse_args(namespace=options)
    os.environ["NTLM_USER_FILE"] = options.log + ".users"
    with open(options.log + ".users", "w", encoding="utf-8") as users:
        users.write(f"{DOMAIN}:{USER}:{PASSWORD}\n")
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)


main()
