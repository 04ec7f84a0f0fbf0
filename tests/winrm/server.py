"""A WinRM server for tests: signing in and sealing are pyspnego's, the rest is a small dispatcher.

It listens on a free port of 127.0.0.1, prints the port, and runs commands with `sh -c`. What happens is written to the
file LOG, one line each. It ends when its standard input does. `--mode` makes it hostile. With `--replay FILE` it answers
as a Windows host once answered pypsrp, whose source archive holds such recordings.
"""

import argparse
import base64
import collections
import hashlib
import http.server
import os
import re
import signal
import ssl
import struct
import subprocess
import sys
import threading
import time
import uuid
import xml.etree.ElementTree as ET

import spnego
from spnego.channel_bindings import GssChannelBindings

USER, DOMAIN, PASSWORD = "svc-cm", "CONTOSO", "Contoso-Secret-1"
NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
}
SHELL = NS["rsp"]
PIECE = 60_000  # of a stream, so that an envelope holds both
LINE = 8191

options = argparse.Namespace()
log_lock = threading.Lock()


def log(line):
    with log_lock, open(options.log, "a", encoding="utf-8") as file:
        file.write(line + "\n")


class Process:
    """A command, with what it has written and nobody has fetched."""

    def __init__(self, line):
        self.popen = subprocess.Popen(
            ["/bin/sh", "-c", line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.changed = threading.Condition()
        self.buffers = {"stdout": bytearray(), "stderr": bytearray()}
        self.open = 2
        for name in self.buffers:
            threading.Thread(target=self.read, args=(name,), daemon=True).start()

    def read(self, name):
        stream = getattr(self.popen, name)
        while data := os.read(stream.fileno(), 65536):
            with self.changed:
                # As a pipe would, it holds back a command that nobody listens to.
                while len(self.buffers[name]) > 1 << 20:
                    self.changed.wait()
                self.buffers[name] += data
                self.changed.notify_all()
        with self.changed:
            self.open -= 1
            self.changed.notify_all()

    def write(self, data, end):
        try:
            self.popen.stdin.write(data)
            self.popen.stdin.flush()
            if end:
                self.popen.stdin.close()
        except (BrokenPipeError, ValueError):
            pass

    def fetch(self, seconds):
        """Pieces of both streams, and the exit code at the very end; nothing at all means that time is up."""
        with self.changed:
            self.changed.wait_for(lambda: not self.open or any(self.buffers.values()), seconds)
            pieces = {}
            for name, buffer in self.buffers.items():
                pieces[name] = bytes(buffer[:PIECE])
                del buffer[:PIECE]
            self.changed.notify_all()
            ended = not self.open and not any(self.buffers.values())
        return pieces, self.popen.wait() if ended else None

    def kill(self):
        if self.popen.poll() is None:
            log(f"killed {self.popen.pid}")
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


shells = {}  # by id: processes by id


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    context = None
    last = None  # of the sign-in's tokens, which goes with the answer

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if options.delay:
            time.sleep(options.delay / 1000)
        if not self.is_signed_in():
            return
        sealed = self.headers.get("Content-Type", "").startswith("multipart/encrypted")
        if not body:
            self.answer(200, b"")
            return
        if not sealed and not options.tls and not options.unencrypted:
            log("refused: in clear")
            self.answer(500, fault("AccessDenied", 5, "Unencrypted traffic is disabled."), sealed=False)
            return
        if options.tls is None and sealed and (b"rsp:Shell" in body or b"Contoso" in body):
            log("leak")
        xml = self.unseal(body) if sealed else body
        status, answer = self.dispatch(ET.fromstring(xml))
        self.answer(status, answer, sealed)

    def is_signed_in(self):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic" and options.basic:
            user, _, password = base64.b64decode(token).decode().partition(":")
            if user.split("\\")[-1] == USER and password == PASSWORD:
                return True
            log("refused: Basic")
        elif scheme == "Negotiate" and not options.only_basic:
            if self.context is None or self.context.complete:
                self.context = spnego.server(
                    protocol="negotiate", channel_bindings=options.binding, options=spnego.NegotiateOptions.use_negotiate
                )
            try:
                reply = self.context.step(base64.b64decode(token))
                if self.context.complete:
                    log(f"signed in: {self.context.client_principal} by {self.context.negotiated_protocol}")
                    self.last = reply
                    return True
            except spnego.exceptions.SpnegoError as error:
                log(f"refused: {type(error).__name__}")
                self.context = reply = None
            if reply:
                self.unauthorized([f"Negotiate {base64.b64encode(reply).decode()}"])
                return False
        elif self.context is not None and self.context.complete:
            return True
        offered = [] if options.only_basic else ["Negotiate"]
        self.unauthorized(offered + (['Basic realm="WSMAN"'] if options.basic or options.only_basic else []))
        return False

    def unauthorized(self, challenges):
        self.send_response(401)
        for challenge in challenges:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def unseal(self, body):
        parts = re.split(rb"--\s*Encrypted Boundary(?:--)?\r\n", body, maxsplit=2)
        payload = re.sub(rb"--\s*Encrypted Boundary--\r\n$", b"", parts[2])
        payload = payload.removeprefix(b"\tContent-Type: application/octet-stream\r\n")
        size = struct.unpack("<I", payload[:4])[0]
        return self.context.unwrap_winrm(payload[4 : 4 + size], payload[4 + size :])

    def seal(self, message):
        header, data, padding = self.context.wrap_winrm(message)
        if options.mode == "flip" and b"ReceiveResponse" in message:
            data = bytes([data[0] ^ 1]) + data[1:]
        protocol = "application/HTTP-SPNEGO-session-encrypted"
        head = (
            f"--Encrypted Boundary\r\n\tContent-Type: {protocol}\r\n\tOriginalContent: "
            f"type=application/soap+xml;charset=UTF-8;Length={len(message) + padding}\r\n"
            "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
        )
        body = head.encode() + struct.pack("<I", len(header)) + header + data + b"--Encrypted Boundary--\r\n"
        return f'multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"', body

    def answer(self, status, body, sealed=False):
        kind = "application/soap+xml;charset=UTF-8"
        if sealed and options.mode == "plain":
            sealed = False
        if sealed:
            kind, body = self.seal(body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if self.last:
            self.send_header("WWW-Authenticate", f"Negotiate {base64.b64encode(self.last).decode()}")
            self.last = None
        if options.mode == "kill" and b"octet-stream" in body and shells_are_busy():
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            os._exit(9)
        if options.mode == "huge" and shells_are_busy():
            self.send_header("Content-Length", str(1 << 30))
            self.end_headers()
            try:
                for _ in range(1 << 14):
                    self.wfile.write(bytes(1 << 16))
            except OSError:
                log("hung up")
            self.close_connection = True
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def dispatch(self, envelope):
        header, body = envelope.find("s:Header", NS), envelope.find("s:Body", NS)
        action = header.find("a:Action", NS).text.rsplit("/", 1)[1]
        relates = header.find("a:MessageID", NS).text
        if options.mode == "other":
            relates = f"uuid:{uuid.uuid4()}"
        selector = header.find("w:SelectorSet/w:Selector", NS)
        timeout = header.find("w:OperationTimeout", NS)
        seconds = float(timeout.text.strip("PTS")) if timeout is not None else 60
        if options.replay:
            return replayed(action, relates)
        try:
            result = getattr(self, "on_" + action.lower())(body, selector.text if selector is not None else None, seconds)
        except KeyError:
            return 500, fault("InvalidSelectors", 2150858843, "There is no such shell or command.", relates)
        if isinstance(result, tuple):
            return 500, fault(*result, relates)
        return 200, envelope_of(f"{action}Response", relates, result)

    def on_create(self, body, *_):
        if options.mode == "denied":
            return "AccessDenied", 5, "Access is denied. "
        if options.mode == "quota":
            return "QuotaLimit", 2150859173, "The maximum number of concurrent shells for this user is exceeded. "
        if options.mode == "slow-create":
            log("creating")
            time.sleep(1)
        shell = str(uuid.uuid4()).upper()
        shells[shell] = {}
        idle = body.find("rsp:Shell/rsp:IdleTimeOut", NS)
        log(f"create idle={idle.text if idle is not None else None}")
        return (
            f'<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector>'
            "</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
            f"<rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId></rsp:Shell>"
        )

    def on_command(self, body, shell, _):
        line = body.find("rsp:CommandLine", NS)
        words = [line.find("rsp:Command", NS).text] + [a.text or "" for a in line.findall("rsp:Arguments", NS)]
        text = " ".join(words)
        if len(text) > LINE:
            return "InternalError", 87, "The command line is too long. "
        command = line.get("CommandId") or str(uuid.uuid4()).upper()
        shells[shell][command] = Process(text)
        log(f"command {text}")
        return f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>"

    def on_send(self, body, shell, _):
        for stream in body.findall("rsp:Send/rsp:Stream", NS):
            data = base64.b64decode(stream.text or "")
            end = stream.get("End", "").lower() == "true"
            shells[shell][stream.get("CommandId")].write(data, end)
            log(f"send {len(data)}{' end' if end else ''}")
        return "<rsp:SendResponse/>"

    def on_receive(self, body, shell, seconds):
        command = body.find("rsp:Receive/rsp:DesiredStream", NS).get("CommandId")
        process = shells[shell][command]
        if options.mode == "hang":
            time.sleep(3600)
        if options.mode == "endless":
            pieces, code = {"stdout": bytes(PIECE), "stderr": b""}, None
        else:
            pieces, code = process.fetch(min(seconds, options.poll))
        if code is None and not any(pieces.values()):
            return "TimedOut", 2150858793, "The operation timed out. "
        streams = "".join(
            f'<rsp:Stream Name="{name}" CommandId="{command}">{base64.b64encode(data).decode()}</rsp:Stream>'
            for name, data in pieces.items()
            if data
        )
        state = "Running" if code is None else "Done"
        exit_code = "" if code is None else f"<rsp:ExitCode>{code}</rsp:ExitCode>"
        return (
            f'<rsp:ReceiveResponse>{streams}<rsp:CommandState CommandId="{command}" '
            f'State="{SHELL}/CommandState/{state}">{exit_code}</rsp:CommandState></rsp:ReceiveResponse>'
        )

    def on_signal(self, body, shell, _):
        node = body.find("rsp:Signal", NS)
        log(f"signal {node.find('rsp:Code', NS).text.rsplit('/', 1)[1]}")
        shells[shell][node.get("CommandId")].kill()
        return "<rsp:SignalResponse/>"

    def on_delete(self, _, shell, __):
        for process in shells.pop(shell).values():
            process.kill()
        log("delete")
        return ""


def replayed(action, relates):
    """The next answer that was recorded for the action; what pypsrp did not ask is answered as Windows answers it."""
    log(action)
    if not options.replay[action]:
        return 200, envelope_of(f"{action}Response", relates, f"<rsp:{action}Response/>")
    message = options.replay[action].pop(0)
    answer = re.sub(r"(RelatesTo>)[^<]*", rf"\g<1>{relates}", message["response"])
    return message.get("transport_error", {}).get("code", 200), answer.encode()


def recording(path):
    import yaml

    answers = collections.defaultdict(list)
    with open(path, encoding="utf-8") as file:
        for message in yaml.safe_load(file)["messages"]:
            action = re.search(r"Action[^>]*>[^<]*/(\w+)<", message["request"])[1]
            answers[action].append(message)
    return answers


def shells_are_busy():
    return any(shells.values())


def envelope_of(action, relates, body):
    spaces = " ".join(f'xmlns:{name}="{uri}"' for name, uri in NS.items())
    return (
        f"<s:Envelope {spaces}><s:Header><a:Action>{SHELL}/{action}</a:Action><a:MessageID>uuid:{uuid.uuid4()}"
        f"</a:MessageID><a:RelatesTo>{relates}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault(name, code, text, relates="uuid:0"):
    body = (
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:{name}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason><s:Detail><f:WSManFault '
        f'xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}" Machine="127.0.0.1">'
        f"<f:Message>{text}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return envelope_of("fault", relates, body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, *_):
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # which is that somebody hung up
            log(f"error: {error!r}")

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(6, 1, 1)  # TCP_NODELAY
        return connection, address


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--mode", default="ok")
    parser.add_argument("--tls", help="a PEM file with certificate and key")
    parser.add_argument("--wrong-binding", action="store_true")
    parser.add_argument("--basic", action="store_true")
    parser.add_argument("--only-basic", action="store_true")
    parser.add_argument("--unencrypted", action="store_true")
    parser.add_argument("--replay", type=recording, metavar="FILE")
    parser.add_argument("--delay", type=int, default=0, help="milliseconds before each answer")
    parser.add_argument("--poll", type=float, default=60, help="most seconds before an empty answer")
    parser.parse_args(namespace=options)
    options.binding = None
    os.environ["NTLM_USER_FILE"] = options.log + ".users"
    with open(options.log + ".users", "w", encoding="utf-8") as users:
        users.write(f"{DOMAIN}:{USER}:{PASSWORD}\n")
    server = Server(("127.0.0.1", 0), Handler)
    if options.tls:
        with open(options.tls, encoding="ascii") as file:
            der = ssl.PEM_cert_to_DER_cert(file.read().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")
        digest = b"another session" if options.wrong_binding else hashlib.sha256(der).digest()
        options.binding = GssChannelBindings(application_data=b"tls-server-end-point:" + digest)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    for shell in list(shells.values()):
        for process in shell.values():
            process.kill()
    os._exit(0)


main()
