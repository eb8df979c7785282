"""Take from this process what a parser does not need: memory, time, files, other programs, the network.

Run as a script it confines itself and then becomes the program named after "--" (that is how tesseract is run); the
worker calls `confine`. Only the standard library is imported, and nothing of this package: the script runs alone.
"""

import ctypes
import os
import platform
import resource
import struct
import sys

_CALLS = {
    "x86_64": (0xC000003E, {"socket": 41, "ptrace": 101, "io_uring_setup": 425}, {"execve": 59, "execveat": 322}),
    "aarch64": (0xC00000B7, {"socket": 198, "ptrace": 117, "io_uring_setup": 425}, {"execve": 221, "execveat": 281}),
}
"""Audit architecture, and numbers of the system calls refused: always, and where no program may be started."""
_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # refuse: the call fails with EPERM
_X32 = 0x40000000  # second numbering of the calls on x86_64
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def confine(*, memory: int, cpu: int, written: int, files: int, programs: bool = False, threads: bool = False) -> None:
    """Set limits that this process, and what it becomes, cannot raise again.

    Parameters
    ----------
    memory, written : bytes; cpu : seconds; files : number of open files.
    programs, threads : whether another program, and threads, may be started.

    On Linux a seccomp filter refuses sockets from the kernel side; elsewhere, and for Python code, an audit hook does.
    Without `threads` their number, and that of processes, is 0 (Linux does not bound the superuser's).
    """
    bounds = {
        "RLIMIT_AS": memory,
        "RLIMIT_CPU": cpu,
        "RLIMIT_FSIZE": written,
        "RLIMIT_NOFILE": files,
        "RLIMIT_CORE": 0,
    }
    if not threads:
        bounds["RLIMIT_NPROC"] = 0
    for name, bound in bounds.items():
        resource.setrlimit(getattr(resource, name), (bound, bound))
    if not programs:
        sys.addaudithook(_refuse)
    if sys.platform == "linux" and platform.machine() in _CALLS and sys.maxsize > 2**32:
        _filter_calls(programs)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")):
        raise PermissionError(f"a document's process may not do {event}")


def _filter_calls(programs: bool) -> None:
    """Install a seccomp filter (man 2 seccomp): a kernel without it is left as it is."""
    architecture, always, starts = _CALLS[platform.machine()]
    refused = list((always if programs else always | starts).values())
    lines = [(_LOAD, 0, 0, 4), (_JUMP_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    after = len(refused)
    lines.append((_JUMP_ABOVE, after + 1, 0, _X32))
    lines += [(_JUMP_EQUAL, after - place, 0, number) for place, number in enumerate(refused)]
    lines += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(lines), ctypes.addressof(code)))
    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    prctl(_SECCOMP, _FILTER, ctypes.addressof(program), 0, 0)


if __name__ == "__main__":
    memory, cpu, written, files = map(int, sys.argv[1:5])
    confine(memory=memory, cpu=cpu, written=written, files=files, programs=True)
    os.execv(sys.argv[6], sys.argv[6:])  # noqa: S606 - an absolute path and no shell
