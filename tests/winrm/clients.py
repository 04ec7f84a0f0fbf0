"""Runs a command over WinRM by pypsrp and by pywinrm, and prints what each got, in Base64: standard output, standard
error, exit code. Arguments: the port and the command line."""

import base64
import sys

import winrm
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan

USER, PASSWORD = r"CONTOSO\svc-cm", "Contoso-Secret-1"
DONE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"


def show(name, stdout, stderr, code):
    print(name, base64.b64encode(stdout).decode(), base64.b64encode(stderr).decode(), code)


def by_pypsrp(port, line):
    wsman = WSMan(
        "127.0.0.1", port=port, ssl=False, auth="negotiate", username=USER, password=PASSWORD, encryption="always"
    )
    with WinRS(wsman) as shell:
        process = Process(shell, line)
        process.begin_invoke()
        process.send(b"", end=True)
        while process.state != DONE:
            process.poll_invoke()
        process.end_invoke()
    show("pypsrp", process.stdout, process.stderr, process.rc)


def by_pywinrm(port, line):
    session = winrm.Session(
        f"http://127.0.0.1:{port}/wsman", auth=(USER, PASSWORD), transport="ntlm", message_encryption="always"
    )
    answer = session.run_cmd(line)
    show("pywinrm", answer.std_out, answer.std_err, answer.status_code)


by_pypsrp(int(sys.argv[1]), sys.argv[2])
by_pywinrm(int(sys.argv[1]), sys.argv[2])
