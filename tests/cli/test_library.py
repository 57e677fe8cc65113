# SPDX-License-Identifier: Apache-2.0
"""libnook as others get it: installed, found by pkg-config, compiled against, linked with and run."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
import rootfs

pytestmark = pytest.mark.quick

EXAMPLE = ["inside:  pid 2, uid 0, file made", "outside: it returned 41; /etc/made-by-untrusted isn't there"]


class Installed:
    """What `meson install` made, in a directory of the tests' own."""

    def __init__(self, repository, build, dest):
        self.sources = pathlib.Path(repository)
        subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet"], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, env=dict(os.environ, DESTDIR=str(dest)), umask=0o022)
        pc, = dest.rglob("libnook.pc")
        self.prefix = pathlib.Path(f"{dest}{re.search('^prefix=(.*)$', pc.read_text(), re.M)[1]}")
        self.pc, self.lib, self.work = pc.parent, pc.parent.parent, dest / "work"
        self.work.mkdir()

    def config(self, *words):
        """pkg-config's answer for libnook here."""
        env = dict(os.environ, PKG_CONFIG_PATH=str(self.pc))
        answer = subprocess.run(["pkg-config", f"--define-variable=prefix={self.prefix}", *words, "libnook"], env=env,
                                stdout=subprocess.PIPE, text=True, check=True)
        return answer.stdout.split()

    def compile(self, source, *options, compiler="cc", static=False):
        """The program made of a source file. Warnings are errors."""
        program = self.work / f"{pathlib.Path(source).stem}-{len(list(self.work.iterdir()))}"
        words = ["--static"] if static else []
        link = ["-static"] if static else [f"-Wl,-rpath,{self.lib}"]
        made = subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", *options, *self.config("--cflags"), str(source), "-o",
                               str(program), *link, *self.config(*words, "--libs")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert made.returncode == 0, made.stdout
        return program

    def program(self, name, text, **options):
        """The same from a text."""
        return self.compile(rootfs.write(f"{self.work}/{name}.c", text), "-std=gnu11", **options)


@pytest.fixture(scope="session")
def installed(repository, binary, base):
    build = os.path.dirname(os.environ.get("NOOK", os.path.join(repository, "build/nook")))
    with open(binary, "rb") as file:
        if b"__asan_init" in file.read():
            pytest.skip("the library is built with a sanitizer")
    if not os.path.exists(os.path.join(build, "build.ninja")):
        pytest.skip(f"{build} is no build folder: nothing to install from")
    dest = pathlib.Path(base) / "installed"
    yield Installed(repository, build, dest)
    shutil.rmtree(dest)


# ---- the example ----

@pytest.mark.parametrize("compiler, options, static", [
    ("cc", ["-std=c11", "-pedantic"], False),
    ("cc", ["-std=c11"], True),
    ("g++", ["-x", "c++", "-std=c++20"], False),
])
def test_the_example(nook, installed, compiler, options, static):
    """It needs nothing but what the README says: cc $(pkg-config --cflags --libs libnook)."""
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    source = installed.sources / "examples/sandbox.c"
    language = [] if "-x" not in options else ["-Wno-missing-field-initializers"]
    program = installed.compile(copy_as(installed, source, compiler), *options[2:] if language else options, *language,
                                compiler=compiler, static=static)
    assert nook.outside(program).lines() == EXAMPLE
    assert not os.path.exists("/etc/made-by-untrusted")


def copy_as(installed, source, compiler):
    """g++ takes what ends in .cc for C++, and what it links with for what it is."""
    return shutil.copy(source, installed.work / f"sandbox.{'cc' if compiler == 'g++' else 'c'}")


def test_the_example_without_a_range_of_ids(poor_nook, installed):
    assert poor_nook.outside(installed.compile(installed.sources / "examples/sandbox.c")).lines() == EXAMPLE


def test_the_example_is_short(repository):
    assert len((pathlib.Path(repository) / "examples/sandbox.c").read_text().splitlines()) < 30


@pytest.mark.parametrize("compiler, options", [("cc", ["-std=c11", "-pedantic"]), ("g++", ["-std=c++20", "-Wno-missing-field-initializers"])])
def test_the_example_of_the_graph(root_nook, installed, compiler, options):
    """It finds a net namespace that only a descriptor keeps, and says whose."""
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    source = installed.sources / "examples/ns-graph.c"
    if compiler == "g++":
        source = shutil.copy(source, installed.work / "ns-graph.cc")
    program = installed.compile(source, *options, compiler=compiler)
    holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; read end"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    holder.stdout.readline()
    fd = os.open(f"/proc/{holder.pid}/ns/net", os.O_RDONLY)
    holder.communicate("end")
    lines = root_nook.outside(program).lines()
    number = os.fstat(fd).st_ino
    os.close(fd)
    assert f"  fd of process {os.getpid()}" in lines[lines.index(f"net:[{number}]") + 1:]


# ---- what is installed ----

def declared(installed):
    """The functions of the public headers."""
    text = "".join(header.read_text() for header in sorted((installed.prefix / "include/nook").iterdir()))
    return set(re.findall(r"\b(nook_\w+)\(", re.sub(r"/\*.*?\*/", "", text, flags=re.S)))


def defined(*nm):
    answer = subprocess.run(["nm", "--defined-only", *nm], stdout=subprocess.PIPE, text=True, check=True)
    rows = [line.split() for line in answer.stdout.splitlines()]
    return {row[2].split("@")[0] for row in rows if len(row) == 3 and row[1] != "A"}


def test_every_public_header_is_installed(installed, repository):
    assert sorted(os.listdir(installed.prefix / "include/nook")) == sorted(os.listdir(f"{repository}/include/nook"))


@pytest.mark.parametrize("kind", ["so", "a"])
def test_the_library_has_the_public_functions_and_no_other(installed, kind):
    """A header without its line in libnook.map, or the reverse, shows here."""
    options = ["-D"] if kind == "so" else ["-g"]
    assert "nook_run" in declared(installed)
    assert defined(*options, installed.lib / f"libnook.{kind}") == declared(installed)


def test_the_shared_library_names_itself_and_what_it_needs(installed):
    answer = subprocess.run(["readelf", "-dW", installed.lib / "libnook.so"], stdout=subprocess.PIPE, text=True, check=True)
    assert re.findall(r"\(SONAME\).*\[(.*)\]", answer.stdout) == ["libnook.so.0"]
    needed = {name.split(".")[0] for name in re.findall(r"\(NEEDED\).*\[(.*)\]", answer.stdout)}
    assert needed <= {"libc", "ld-linux-x86-64", "ld-linux-aarch64"}
    assert (installed.lib / "libnook.so.0").exists()


def test_pkg_config_says_what_a_static_program_needs(installed):
    assert set(installed.config("--static", "--libs-only-l")) == {"-lnook"}
    assert installed.config("--libs-only-l") == ["-lnook"]


@pytest.mark.parametrize("header", ["container", "error", "kinds", "nook", "plan", "spec"])
@pytest.mark.parametrize("compiler, options", [("cc", ["-std=c11", "-pedantic", "-x", "c"]), ("g++", ["-std=c++17", "-x", "c++"])])
def test_each_header_stands_alone(installed, header, compiler, options):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    text = f"#include <nook/{header}.h>\n#include <nook/{header}.h>\n"
    made = subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", *options, *installed.config("--cflags"), "-fsyntax-only",
                           "-"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert made.returncode == 0, made.stdout


def test_man_pages_render(installed):
    """Each, without a warning from groff."""
    pages = sorted((installed.prefix / "share/man/man1").iterdir())
    if not pages or not shutil.which("man"):
        pytest.skip("no scdoc when it was built, or no man")
    assert {"nook.1", "nook-run.1", "nook-exec.1"} <= {page.name for page in pages}
    for page in pages:
        shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page], stdin=subprocess.DEVNULL,
                               capture_output=True, text=True, check=False, env=dict(os.environ, MANWIDTH="80", LC_ALL="C.UTF-8"))
        assert (shown.returncode, shown.stderr) == (0, ""), page
        text = re.sub(".\b", "", shown.stdout)
        for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"):
            assert f"\n{heading}" in text, f"{page}: no {heading}"


@pytest.mark.parametrize("name", ["nook", "nook-oci"])
def test_completions_are_where_the_shells_look(installed, name):
    bash = installed.prefix / f"share/bash-completion/completions/{name}"
    zsh = installed.prefix / f"share/zsh/site-functions/_{name}"
    subprocess.run(["bash", "-n", bash], check=True)
    assert bash.read_text().startswith(f"# bash completion of {name}: ")
    assert zsh.read_text().startswith(f"#compdef {name}\n")


# ---- what the library promises ----

BEGIN = """
#include <nook/nook.h>
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
"""

CALL = BEGIN + """
static void bye(void) { printf("bye\\n"); }
static int end(void *how)
{
	printf("called with %s\\n", (char *)how);
	if (strcmp((char *)how, "signal") == 0)
		kill(getpid(), SIGKILL);
	return atoi((char *)how);
}
int main(int argc, char **argv)
{
	struct nook_spec spec = { .name = argc > 2 ? argv[2] : NULL };
	struct nook_error err = { 0 };
	int status = -1;

	atexit(bye);
	printf("before\\n");
	int rc = nook_call(&spec, end, argv[1], &status, &err);
	printf("%d %d %s\\n", rc, status, err.why);
	return 0;
}
"""


@pytest.fixture(scope="session")
def caller(installed):
    return installed.program("caller", CALL)


@pytest.mark.parametrize("how, status", [("0", 0), ("255", 255), ("3", 3)])
def test_a_function_returns_and_nothing_is_printed_twice(nook, caller, how, status):
    """Neither what waited in the caller's buffer, nor what its exit handlers say."""
    assert nook.outside(caller, how).lines() == ["before", f"called with {how}", f"0 {status} ", "bye"]


def test_a_function_that_a_signal_ends(nook, caller):
    assert nook.outside(caller, "signal").lines() == ["before", "0 137 ", "bye"]


def test_the_library_does_not_print_its_errors(nook, caller):
    answer = nook.outside(caller, "0", "../name")
    assert answer.err == ""
    assert re.fullmatch(r"-22 125 .*can't name a container.*", answer.lines()[1])


ALONE = BEGIN + """
#include <fcntl.h>
static int look(void *arg)
{
	int open_ones = 0;

	(void)arg;
	for (int fd = 3; fd < 64; fd++)
		open_ones += fcntl(fd, F_GETFD) >= 0;
	return open_ones;
}
int main(void)
{
	struct nook_spec spec = { 0 };
	struct nook_error err = { 0 };
	int status = -1, fd = open("/etc/passwd", O_RDONLY);

	nook_call(&spec, look, NULL, &status, &err);
	printf("%d here, %d there\\n", fd >= 3, status);
	return 0;
}
"""


def test_a_function_has_no_descriptor_of_the_callers(nook, installed):
    assert nook.outside(installed.program("alone", ALONE)).ok() == "1 here, 0 there"


RUN = BEGIN + """
int pivot(void) { puts("mine"); abort(); }
int set_hostname(void *a, void *b) { (void)a, (void)b; puts("mine"); abort(); }
int main(void)
{
	const char *argv[] = { "sh", "-c", "hostname; exit 5", NULL };
	struct nook_spec spec = { .hostname = "inside", .argv = argv };
	struct nook_error err = { 0 };
	int status = 0, rc = nook_run(&spec, NULL, &status, &err);

	printf("%d %d\\n", rc, status);
	fflush(stdout);
	return nook_run_plan(&spec, NOOK_PLAN_TEXT, stderr, &err) < 0;
}
"""


@pytest.mark.parametrize("static", [False, True])
def test_a_programs_own_functions_are_not_called_by_nook(nook, installed, static):
    """Steps have plain names: a program's function of the same name is neither in the way nor taken for one."""
    answer = nook.outside(installed.program("run", RUN, static=static))
    assert answer.lines() == ["inside", "0 5"]
    assert "pivot" in answer.err
