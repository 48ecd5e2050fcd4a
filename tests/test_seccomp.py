"""The filter of system calls, for both architectures, run as the kernel runs it."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys

import pytest

from wasinn_nb.isolation import enter, seccomp

PROCESS = 4711
ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
KILL = 0x80000000

# Name, x86-64's number, AArch64's: as the headers of Debian 12 have them, those of linux-libc-dev
# and of linux-libc-dev-arm64-cross (asm/unistd_64.h; asm-generic/unistd.h, preprocessed).
REFUSED = """
socket=41/198 socketpair=53/199 bind=49/200 listen=50/201 accept=43/202 connect=42/203
accept4=288/242 execve=59/221 execveat=322/281 ptrace=101/117 tkill=200/130
process_vm_readv=310/270 process_vm_writev=311/271 shmget=29/194 shmat=30/196 shmctl=31/195
semget=64/190 semop=65/193 semctl=66/191 semtimedop=220/192 msgget=68/186 msgsnd=69/189
msgrcv=70/188 msgctl=71/187 mq_open=240/180 mq_unlink=241/181 pivot_root=155/41
chroot=161/51 mount=165/40 umount2=166/39 unshare=272/97 setns=308/268 init_module=175/105
delete_module=176/106 finit_module=313/273 kexec_load=246/104 kexec_file_load=320/294
reboot=169/142 acct=163/89 settimeofday=164/170 swapon=167/224 swapoff=168/225
sethostname=170/161 setdomainname=171/162 quotactl=179/60 clock_settime=227/112
add_key=248/217 request_key=249/218 keyctl=250/219 perf_event_open=298/241
name_to_handle_at=303/264 open_by_handle_at=304/265 bpf=321/280 userfaultfd=323/282
pidfd_send_signal=424/424 pidfd_open=434/434 pidfd_getfd=438/438 io_uring_setup=425/425
io_uring_enter=426/426 io_uring_register=427/427 open_tree=428/428 move_mount=429/429
fsopen=430/430 fsconfig=431/431 fsmount=432/432 fspick=433/433 mount_setattr=442/442
process_madvise=440/440 quotactl_fd=443/443 process_mrelease=448/448
"""
ALLOWED = """
read=0/63 write=1/64 openat=257/56 close=3/57 mmap=9/222 munmap=11/215 mprotect=10/226
futex=202/98 brk=12/214 madvise=28/233 memfd_create=319/279 ftruncate=77/46 fstat=5/80
lseek=8/62 sched_setaffinity=203/122 nanosleep=35/101 exit=60/93 exit_group=231/94
getrandom=318/278 landlock_restrict_self=446/446 seccomp=317/277 sendmsg=46/211
rt_sigaction=13/134 prctl=157/167
"""
SPECIAL = """
clone=56/220 clone3=435/435 fcntl=72/25 kill=62/129 tgkill=234/131 rt_sigqueueinfo=129/138
rt_tgsigqueueinfo=297/240 prlimit64=302/261
"""
ONLY_ON_X86 = {"fork": 57, "vfork": 58, "iopl": 172, "ioperm": 173}
TO_ITSELF = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "prlimit64")
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386, ARM = 0x40000003, 0x40000028  # other ways into the same kernels, with other numbers


def numbers(table, machine):
    """Return name -> number of one architecture."""
    column = list(MACHINES).index(machine)
    entries = (entry.split("=") for entry in table.split())
    return {name: int(both.split("/")[column]) for name, both in entries}


def verdict(machine, number, *arguments, architecture=None):
    """Interpret the filter for a system call, and return what it answers."""
    lines = list(struct.iter_unpack("<HBBI", seccomp.program(machine, PROCESS)))
    raw = [argument & (1 << 64) - 1 for argument in (*arguments, *[0] * 6)[:6]]
    audit = MACHINES[machine] if architecture is None else architecture
    data = struct.pack("<IIQ6Q", number, audit, 0, *raw)
    at, accumulator = 0, 0
    while True:
        operation, if_true, if_false, operand = lines[at]
        at += 1
        if operation == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif operation == 0x15:  # BPF_JMP | BPF_JEQ | BPF_K
            at += if_true if accumulator == operand else if_false
        elif operation == 0x45:  # BPF_JMP | BPF_JSET | BPF_K
            at += if_true if accumulator & operand else if_false
        elif operation == 0x06:  # BPF_RET | BPF_K
            return operand
        else:
            raise AssertionError(f"an instruction that the filter does not need: {operation:#x}")


machines = pytest.mark.parametrize("machine", MACHINES)


@machines
def test_calls_that_reach_others_are_refused(machine):
    known = numbers(REFUSED, machine)
    assert {name for name, number in known.items() if verdict(machine, number) != EPERM} == set()
    if machine == "x86_64":
        assert {verdict(machine, number) for number in ONLY_ON_X86.values()} == {EPERM}


@machines
def test_calls_that_engines_make_are_allowed(machine):
    known = numbers(ALLOWED, machine)
    assert {name for name, number in known.items() if verdict(machine, number) != ALLOW} == set()


@machines
def test_nothing_else_is_refused(machine):
    """Of 500 numbers; with those of another architecture it would be others."""
    special = numbers(SPECIAL, machine)
    expected = {*numbers(REFUSED, machine).values(), special["clone"], special["clone3"]}
    expected |= {special[name] for name in TO_ITSELF}
    expected |= set(ONLY_ON_X86.values()) if machine == "x86_64" else set()
    refused = {number for number in range(500) if verdict(machine, number, 1) != ALLOW}
    assert refused == expected


@machines
@pytest.mark.parametrize("name", TO_ITSELF)
def test_what_is_for_the_process_itself(machine, name):
    number = numbers(SPECIAL, machine)[name]
    assert verdict(machine, number, PROCESS) == ALLOW
    assert verdict(machine, number, 0) == ALLOW
    for other in (1, PROCESS + 1, -1, -PROCESS, 1 << 31):
        assert verdict(machine, number, other) == EPERM, other


@machines
def test_threads_may_begin_and_processes_may_not(machine):
    special = numbers(SPECIAL, machine)
    thread = 0x3D0F00  # what the C library's pthread_create passes to clone
    assert verdict(machine, special["clone"], thread) == ALLOW
    for flags in (17, 0x4111, 0x1200011):  # fork, vfork, fork of the C library
        assert verdict(machine, special["clone"], flags) == EPERM
    assert verdict(machine, special["clone3"]) == ENOSYS


@machines
def test_descriptors_send_no_signals(machine):
    fcntl = numbers(SPECIAL, machine)["fcntl"]
    set_owner, set_owner_ex, set_signal = 8, 15, 10
    for command in (set_owner, set_owner_ex, set_signal):
        assert verdict(machine, fcntl, 3, command, 1) == EPERM
    for command in (0, 1, 2, 3, 4, 5, 6, 7, 9, 16, 1030, 1033, 1034):
        assert verdict(machine, fcntl, 3, command, 1) == ALLOW, command
    assert verdict(machine, fcntl, set_owner, 3) == ALLOW  # a descriptor of that number


@machines
@pytest.mark.parametrize("number", [0, 1, 41, 59, 198, 221])
def test_other_ways_into_the_kernel_end_the_process(machine, number):
    others = {I386, ARM, *MACHINES.values()} - {MACHINES[machine]}
    assert {verdict(machine, number, architecture=one) for one in others} == {KILL}
    if machine == "x86_64":  # x32: the same calls with a bit set
        assert verdict(machine, number | 0x40000000) == EPERM


@machines
def test_the_program_is_short_enough_and_ends(machine):
    lines = list(struct.iter_unpack("<HBBI", seccomp.program(machine, PROCESS)))
    assert len(lines) < 4096
    assert lines[-1] == (0x06, 0, 0, ALLOW)
    for at, (operation, if_true, if_false, _) in enumerate(lines):
        if operation in {0x15, 0x45}:
            assert at + 1 + max(if_true, if_false) < len(lines)


@pytest.mark.parametrize("machine", ["riscv64", "ppc64le", "i686", "armv7l", ""])
def test_no_filter_where_the_numbers_are_not_known(machine, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert seccomp.program(machine, PROCESS) is None
    assert seccomp.filter_system_calls(ctypes.CDLL(None)) is False


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_the_facts_say_that_no_filter_applies(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    monkeypatch.setattr("wasinn_nb.isolation.sandbox.limit_resources", lambda **_: ("core",))
    monkeypatch.setattr("wasinn_nb.isolation.sandbox.restrict_files", lambda *_: False)
    facts = enter(
        ctypes.CDLL(None),
        [],
        [],
        devices=False,
        memory_limit=1 << 20,
        write_limit=1 << 20,
        time_limit=None,
    )
    assert facts == ("limits on core", "no_new_privs", "without landlock", "without seccomp")
