# SPDX-License-Identifier: Apache-2.0
"""
Rule 4, the sealed self, with nook-oci: nobody inside gets hold of the runtime's file and overwrites it (CVE-2019-5736).

The container is started by another copy of the runtime than the one that is attacked, so that the attacked file is free
to be written as soon as `exec` has ended: the attack needs no luck then.
"""

import os
import shutil
import subprocess

import machine
import pytest
import rootfs
from hostile import ALL_CAPS, caps, userns

WAYS = {"a script": ["/script"], "a symlink": ["/link"], "itself": ["/proc/self/exe"], "a program": ["/bin/true"]}
CONFIGS = {
    "as it is": {},
    "CAP_SYS_PTRACE": caps("SYS_PTRACE"),
    "CAP_DAC_READ_SEARCH": caps("DAC_READ_SEARCH", "SYS_PTRACE"),
    "all": {f"process/capabilities/{kind}": ALL_CAPS for kind in ("bounding", "effective", "permitted")},
    "mapped to root": userns(),
}


@pytest.fixture
def canary(oci):
    """A copy of the runtime, with a bit that only a copy has: what is to be overwritten."""
    path = f"{oci.scratch('canary')}/nook-oci"
    shutil.copy(oci.binary, path)
    os.chmod(path, 0o755)
    return path


def prepare(made):
    rootfs.write(f"{made.rootfs}/script", "#!/proc/self/exe\n", 0o755)
    os.symlink("/proc/self/exe", f"{made.rootfs}/link")
    return made


def same(path, other):
    with open(path, "rb") as one, open(other, "rb") as two:
        return one.read() == two.read()


def attack(oci, made, runtime):
    """A container lies in wait; runtime(container) enters it several times. Return: what it achieved."""
    container = oci.running(prepare(made))
    for _ in range(4):
        runtime(container)
    container.wait()
    return container.out().split("\n")


def test_the_attack_works_on_a_careless_runtime(oci, hostile_bundle, attacker):
    victim = f"{oci.scratch('victim')}/program"
    shutil.copy(attacker, victim)

    def enter(container):
        try:
            subprocess.run([victim, "careless", str(container.pid), "/script"], check=False, capture_output=True)
        except OSError:
            pass  # it is overwritten by now, and no program any more

    result = attack(oci, hostile_bundle(["/attacker", "grab", "1.5"], caps("SYS_PTRACE")), enter)
    assert "overwritten" in result and not same(victim, attacker), result


@pytest.mark.parametrize("config, way", [*(("as it is", way) for way in WAYS), *((name, "a script") for name in CONFIGS if name != "as it is")])
def test_exec(oci, hostile_bundle, canary, config, way):
    def enter(container):
        oci.start([canary, "--root", oci.root, "exec", container.id, *WAYS[way]]).result(10)

    result = attack(oci, hostile_bundle(["/attacker", "grab", "0.4"], CONFIGS[config]), enter)
    assert "overwritten" not in result, result
    assert same(canary, oci.binary) and os.stat(canary).st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("config, way", [("as it is", "a script"), ("as it is", "a symlink"), ("as it is", "itself"), ("all", "a script"),
                                         ("mapped to root", "itself")])
def test_run_of_the_runtime_itself(oci, hostile_bundle, canary, config, way):
    """What runs as the program is nook-oci's own file, were it not the copy: it can't be written."""
    made = prepare(hostile_bundle(WAYS[way], CONFIGS[config]))
    container = oci.container(made)
    made.write()
    container.touched = True
    result = oci.start([canary, "--root", oci.root, "run", "--bundle", made.path, container.id]).result()
    assert same(canary, oci.binary), result
    assert os.stat(canary).st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("config", CONFIGS)
def test_what_waits_for_its_start_is_a_sealed_copy(oci, hostile_bundle, canary, config):
    """Seen from outside by root, who could write to it were it the file itself."""
    made = hostile_bundle("true", CONFIGS[config]).write()
    container = oci.container(made)
    container.touched = True
    pid_file = f"{made.path}/pid"
    oci.start([canary, "--root", oci.root, "create", "--pid-file", pid_file, "--bundle", made.path, container.id]).result().ok()
    pid = int(machine.read(pid_file))
    for fails in (lambda: open(f"/proc/{pid}/exe", "r+b"), lambda: os.truncate(f"/proc/{pid}/exe", 0)):
        with pytest.raises(OSError):
            fails()
    container.delete("--force").ok()
    assert same(canary, oci.binary)


def test_a_pod_mate_does_not_write_it(oci, hostile_bundle, canary):
    """Its neighbour has the same pid namespace, and looks at what is being created there."""
    first = oci.running(prepare(hostile_bundle(["/attacker", "grab", "1.5"], caps("SYS_PTRACE"))))
    for _ in range(4):
        made = hostile_bundle("true", {"linux/namespaces/0/path": f"/proc/{first.pid}/ns/pid"}).write()
        container = oci.container(made)
        container.touched = True
        oci.start([canary, "--root", oci.root, "create", "--bundle", made.path, container.id]).result()
        container.delete("--force").ok()
    first.wait()
    assert "overwritten" not in first.out(), first.out()
    assert same(canary, oci.binary)


def test_the_copy_is_not_made_where_it_is_not_needed(oci, bundle):
    """An id range of the container's own maps no owner of the file: nothing is spent there."""
    made = bundle("true", userns(200000)).write()
    container = oci.container(made)
    container.touched = True
    trace = f"{made.path}/trace"
    oci.start(["strace", "-qq", "-f", "-o", trace, "-e", "trace=execveat,memfd_create", oci.binary, "--root", oci.root, "create",
               "--bundle", made.path, container.id], stdio=None)
    machine.wait_until(lambda: oci.cmd("state", container.id).status == 0, 10, "its creation")
    container.start()
    assert "execveat" not in machine.read(trace), machine.read(trace)
