# SPDX-License-Identifier: Apache-2.0
"""User namespaces: which ids a container has, and that no two have the same."""

import glob
import os

import machine
import pytest

pytestmark = pytest.mark.quick


def id_map(text):
    return [tuple(map(int, line.split())) for line in text.splitlines()]


def maps_of(nook, *options):
    uid, gid = nook.sh("cat /proc/self/uid_map; echo -; cat /proc/self/gid_map", *options).ok().split("-\n")
    return id_map(uid), id_map(gid)


def held():
    """Ranges in use by root's containers, as nook's files say."""
    return {os.path.basename(path) for path in glob.glob("/run/nook/ids/*")}


def test_the_program_is_root_inside(nook):
    assert nook.sh("id -u; id -g; whoami").lines() == ["0", "0", "root"]


def test_root_gets_a_range_that_is_not_its_own(root_nook):
    uid, gid = maps_of(root_nook)
    assert uid == gid
    [(inside, outside, count)] = uid
    assert (inside, count) == (0, 65536)
    assert outside >= 65536 and outside % 65536 == 0


def test_two_containers_at_once_have_different_ranges(root_nook):
    with root_nook.background("cat /proc/self/uid_map; exec sleep 1000") as one:
        with root_nook.background("cat /proc/self/uid_map; exec sleep 1000") as two:
            first, second = id_map(one.first)[0], id_map(two.first)[0]
    assert abs(first[1] - second[1]) >= 65536


def test_many_containers_started_at_once_have_different_ranges(root_nook):
    argv = ["run", "--", "sh", "-c", "cat /proc/self/uid_map; read end"]
    pipes = {"stdin": -1, "stdout": -1, "stderr": -1}
    started = [root_nook.popen(argv, **pipes) for _ in range(12)]
    firsts = [process.stdout.readline().split() for process in started]
    ends = [process.communicate("\n", timeout=20) for process in started]
    assert [process.returncode for process in started] == [0] * 12, ends
    assert len({words[1] for words in firsts}) == 12


def test_a_range_is_free_again_after(root_nook):
    before = held()
    with root_nook.background("cat /proc/self/uid_map; exec sleep 1000") as one:
        first = one.first.split()[1]
        assert first in held() - before
    assert first not in held()


def test_a_range_is_free_again_after_a_kill(root_nook):
    with root_nook.background("cat /proc/self/uid_map; exec sleep 1000") as one:
        first, name = one.first.split()[1], one.name
        one.process.kill()
        one.wait()
    root_nook.cmd("rm", name).ok()
    assert first not in held()


def test_the_host_sees_the_range(root_nook):
    with root_nook.background("echo ready; exec sleep 1000") as one:
        uid = int(machine.status(one.inside()[-1])["Uid"].split()[0])
        assert uid == id_map(machine.read(f"/proc/{one.pid}/uid_map"))[0][1]


def test_userns_host_keeps_the_callers_ids(root_nook):
    assert maps_of(root_nook, "--userns", "host") == (id_map(machine.read("/proc/self/uid_map")),) * 2
    assert root_nook.run("--userns", "host", "--", "readlink", "/proc/self/ns/user").ok() == machine.ns("user")


def test_an_ordinary_user_has_the_range_of_subuid(user_nook, lab):
    uid, gid = maps_of(user_nook)
    assert uid == gid == [(0, lab.USER, 1), (1, lab.RANGE, 65535)]


def test_an_ordinary_user_without_a_range_is_root_alone(poor_nook, lab):
    assert maps_of(poor_nook) == ([(0, lab.POOR, 1)], [(0, lab.POOR, 1)])


def test_an_ordinary_user_without_a_range_gets_a_whole_container(poor_nook):
    """Nothing but the ids is less: the host's root, copy-on-write."""
    assert poor_nook.sh("id -u; touch /etc/made && ls /etc/made; hostname", "--hostname", "poor").lines() == [
        "0", "/etc/made", "poor"]


def test_setgroups_is_denied_where_the_kernel_wants_it(poor_nook):
    """user_namespaces(7): an own gid is mapped without privilege only after setgroups was denied."""
    assert poor_nook.run("--", "cat", "/proc/self/setgroups").ok() == "deny"


def test_an_ordinary_user_may_be_others_inside(user_nook, busybox_root):
    root = busybox_root(user_nook)
    script = "touch /tmp/mine && chown 1000:1000 /tmp/mine && stat -c %u:%g /tmp/mine"
    assert user_nook.sh(script, "--root", root).ok() == "1000:1000"
    assert user_nook.outside("stat", "-c", "%u", f"{root}/tmp/mine").ok() not in ("0", "1000")
    user_nook.sh("rm /tmp/mine", "--root", root).ok()


def test_maps_by_hand(root_nook):
    options = ["--uid-map", "0:100000:1000", "--uid-map", "2000:300000:5", "--gid-map", "0:200000:1000"]
    assert maps_of(root_nook, *options) == ([(0, 100000, 1000), (2000, 300000, 5)], [(0, 200000, 1000)])


def test_an_ordinary_user_maps_itself_by_hand(user_nook, lab):
    options = ["--uid-map", f"0:{lab.USER}:1", "--gid-map", f"0:{lab.USER}:1"]
    assert maps_of(user_nook, *options) == ([(0, lab.USER, 1)], [(0, lab.USER, 1)])


@pytest.mark.parametrize("words, named", [
    (["--uid-map", "0:1"], "0:1"),
    (["--uid-map", "0:1:0"], "0:1:0"),
    (["--uid-map", "x:1:1"], "x"),
    (["--uid-map", "0:1:1:1"], "--uid-map"),
    (["--uid-map", "0:1:4294967296"], "4294967296"),
    (["--uid-map", "0:4294967295:1"], "4294967295"),
    (["--uid-map", "1:100000:10"], "root"),
    (["--uid-map", "0:100000:10", "--uid-map", "5:200000:10"], "overlap"),
    (["--uid-map", "0:100000:10", "--uid-map", "50:100005:10"], "overlap"),
    (["--userns", "wrong"], "--userns"),
    (["--userns", "host", "--uid-map", "0:0:1"], "--uid-map"),
])
def test_bad_maps_are_refused(root_nook, words, named):
    root_nook.run(*words, "true").failed(125, named)


def test_an_ordinary_user_cannot_map_what_is_not_its_own(user_nook):
    user_nook.run("--uid-map", "0:0:1", "--gid-map", "0:0:1", "true").failed(125)


def test_no_id_outside_the_range_can_be_taken(nook):
    assert nook.run("--", "python3", "-c", "import os; os.setuid(70000)").status == 1
