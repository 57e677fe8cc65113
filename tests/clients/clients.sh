#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# clients.sh [-s SECTION[,SECTION...]] [-l] [-v] RUNTIME
#
# Puts an OCI runtime binary under the real engines of this machine (podman,
# conmon, buildah, containerd's shim through ctr and through CRI, dockerd) and
# checks what their users would see.  Prints "ok N - ..." / "not ok N - ..." /
# "ok N - ... # skip why" and a final count; exit status 0 when nothing failed.
#
# Everything runs in private mount, pid, net, ipc, uts and cgroup namespaces on
# a throw-away overlay of the whole root file system, pivoted into: nothing in
# there can write to the real one, and nothing is left behind (one sub-cgroup a
# hierarchy and one directory under TMPDIR are made and removed).
#
#   -s  sections to run: podman rootless buildah ctr cri docker hybrid
#       cgroup2 systemd
#   -l  list the sections and leave
#   -v  print each check's output, not only that of failing ones
#   CHECK_TIMEOUT=40 TOTAL_TIMEOUT=470 in the environment: seconds for a check, for all
#   CLIENTS_KEEP="DIR..." in the environment: keep these directories shared and
#   writable (for a wrapper that logs)
#
# Needs root.  Debian packages: podman conmon buildah netavark slirp4netns
# uidmap busybox-static containerd containernetworking-plugins docker.io
# python3-grpcio (CRI) systemd dbus (systemd).  What is missing is skipped.

# Checks are texts that a shell of their own expands; file names and lists of words have no blanks here.
# shellcheck disable=SC2016,SC2086,SC2046,SC2013,SC2015,SC1007,SC1091,SC2034,SC2163
SELF=$(readlink -f "$0"); export SELF
ALL="podman rootless buildah ctr cri docker hybrid cgroup2 systemd"
CHECK_TIMEOUT=${CHECK_TIMEOUT:-40}

########################################################################
# outer: arguments, cgroups, namespaces, count
########################################################################
outer() {
	local sections= VERBOSE=
	while getopts s:lvh o; do
		case $o in
		s) sections=${OPTARG//,/ } ;;
		l) echo $ALL; exit 0 ;;
		v) VERBOSE=1 ;;
		*) sed -n '3,/^$/s/^# \{0,1\}//p' "$SELF"; exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	[ $# = 1 ] || { sed -n '3,/^$/s/^# \{0,1\}//p' "$SELF"; exit 2; }
	[ "$(id -u)" = 0 ] || { echo "must be root" >&2; exit 2; }
	[ -x "$1" ] || { echo "$1: not an executable" >&2; exit 2; }
	export RT; RT=$(readlink -f "$(dirname "$1")")/$(basename "$1")   # a link's own name is kept
	export VERBOSE CHECK_TIMEOUT
	local t0=$SECONDS mode=v2 s
	LIMIT=$((SECONDS + ${TOTAL_TIMEOUT:-470})); ID=nookclients-$$-$RANDOM
	export RES CLIENTS_KEEP=${CLIENTS_KEEP:-}; RES=$(mktemp -d "${TMPDIR:-/var/tmp}/$ID.XXXX"); chmod 755 "$RES"; mkdir "$RES/io"; : > "$RES/io/res"
	trap '[ -n "${CHILD:-}" ] && kill -9 $CHILD 2>/dev/null && sleep 0.3; drop_cgroups; rm -rf --one-file-system "$RES"' EXIT
	trap 'exit 130' INT TERM HUP
	grep -q ' - cgroup .*[ ,]memory' /proc/self/mountinfo && mode=v1
	for s in ${sections:-$ALL}; do
		case " $ALL " in *" $s "*) ;; *) echo "no section $s" >&2; exit 2 ;; esac
	done
	local main= x
	for s in ${sections:-$ALL}; do case $s in hybrid | cgroup2 | systemd) ;; *) main="$main $s" ;; esac; done
	[ -z "$main" ] || spawn $mode $main
	for s in ${sections:-$ALL}; do
		case $s in
		hybrid) [ $mode = v2 ] || spawn hy hybrid ;;
		cgroup2) spawn v2 cgroup2 ;;
		systemd) spawn sd systemd ;;
		esac
	done
	local ok no sk
	ok=$(grep -c '^ok' "$RES/io/res"); no=$(grep -c '^not' "$RES/io/res"); sk=$(grep -c '^skip' "$RES/io/res")
	echo "# $RT: $ok ok, $no not ok, $sk skipped, of $((ok + no + sk)) in $((SECONDS - t0)) s"
	[ "$no" = 0 ] && [ "$ok" != 0 ]
	exit $?
}

# every mounted cgroup hierarchy of the caller
hierarchies() { awk '$0 ~ / - cgroup2? / && !($5 ~ "^/tmp/") {print $5}' /proc/self/mountinfo | grep '^/sys/fs/cgroup' | sort -u; }

make_cgroups() {
	local h
	for h in $(hierarchies); do
		mkdir -p "$h/$ID" 2>/dev/null || continue
		if [ -e "$h/$ID/cpuset.cpus" ] && [ -e "$h/cpuset.cpus" ]; then
			cat "$h/cpuset.cpus" > "$h/$ID/cpuset.cpus"; cat "$h/cpuset.mems" > "$h/$ID/cpuset.mems"
		fi 2>/dev/null
		echo "$h/$ID/cgroup.procs"
	done
}

drop_cgroups() {
	local h i n
	for i in $(seq 30); do
		n=0
		for h in $(hierarchies); do
			[ -d "$h/$ID" ] || continue
			find "$h/$ID" -depth -type d -exec rmdir {} + 2>/dev/null
			[ -d "$h/$ID" ] && n=1
		done
		[ $n = 0 ] && return
		sleep 0.2
	done
}

spawn() { # MODE SECTION...: run the sections inside, bounded
	local mode=$1 pid shown=0 n; shift
	PROCS=$(make_cgroups); MODE=$mode; export PROCS MODE
	: > "$RES/io/out"; rm -f "$RES"/io/done "$RES"/io/started "$RES"/io/go; mkdir -p "$RES/m"
	sh -c 'for p in $PROCS; do echo $$ > $p; done
	exec unshare -C -m -p -n -i -u --fork --kill-child --propagation private \
		bash "$@"' sh "$SELF" --init $mode "$@" < /dev/null > "$RES/io/init" 2>&1 &
	pid=$!; CHILD=$pid
	# the waiting parent leaves, so that the cgroup2 root in there is free of processes
	while kill -0 $pid 2>/dev/null && [ ! -e "$RES/io/started" ]; do sleep 0.05; done
	for n in $(hierarchies); do [ -e "$n/cgroup.controllers" ] && echo $pid > "$n$(sed -n 's/^0:://p' /proc/self/cgroup)/cgroup.procs"; done 2>/dev/null
	: > "$RES/io/go"
	while kill -0 $pid 2>/dev/null && [ ! -e "$RES/io/done" ] && [ $SECONDS -lt $LIMIT ]; do
		n=$(wc -l < "$RES/io/out")
		[ "$n" -gt $shown ] && sed -n "$((shown + 1)),${n}p" "$RES/io/out" && shown=$n
		sleep 0.3
	done
	kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null; CHILD=
	sed -n "$((shown + 1)),\$p" "$RES/io/out"
	if [ ! -e "$RES/io/done" ]; then
		echo "not ok - $*: did not come to its end"; grep -v '^$' "$RES/io/init" | tail -5 | sed 's/^/#   /'
		echo "not $*" >> "$RES/io/res"
	fi
	drop_cgroups
}

########################################################################
# init: first process of the namespaces.  Puts a throw-away overlay over the
# whole root file system and pivots into it: nothing that runs from here on,
# engines, systemd or a runtime gone wrong, can write to the real one.
########################################################################
init() {
	local mode=$1 c d n R T=$RES/m; shift
	local v1; v1=$(awk '$0 ~ / - cgroup / {n = split($NF, o, ","); for (i = 1; i <= n; i++) if (o[i] != "rw") print o[i]}' /proc/self/mountinfo | sort -u)
	: > "$RES/io/started"; while [ ! -e "$RES/io/go" ]; do sleep 0.05; done
	set -e
	mount -t tmpfs -o mode=755 tmpfs "$T"
	mkdir "$T/up" "$T/wk" "$T/root"; R=$T/root
	mount -t overlay -o "lowerdir=/,upperdir=$T/up,workdir=$T/wk" overlay "$R"
	mount -t proc proc "$R/proc"
	mount -t sysfs sysfs "$R/sys"
	mount -t tmpfs -o mode=755 tmpfs "$R/dev"
	for d in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 fuse:10:229; do
		n=${d#*:}; mknod -m 666 "$R/dev/${d%%:*}" c ${n%:*} ${n#*:}
	done
	mknod -m 600 "$R/dev/loop-control" c 10 237; mknod -m 600 "$R/dev/kmsg" c 1 11
	mkdir "$R"/dev/pts "$R"/dev/shm "$R"/dev/net "$R"/dev/mqueue; mknod -m 666 "$R/dev/net/tun" c 10 200
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$R/dev/pts"; ln -s pts/ptmx "$R/dev/ptmx"
	mount -t tmpfs -o mode=1777 tmpfs "$R/dev/shm"; mount -t mqueue mqueue "$R/dev/mqueue"
	for d in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do ln -s "/proc/self/${d#*:}" "$R/dev/${d%%:*}"; done
	mount -t tmpfs -o mode=755 tmpfs "$R/run"
	mkdir -p "$R"/run/lock "$R"/run/user "$R"/run/netns "$R"/run/dbus "$R"/run/systemd/system "$R"/run/w
	mount -t tmpfs -o mode=755 tmpfs "$R/run/w"
	mkdir "$R/run/w/io"; mount --bind "$RES/io" "$R/run/w/io"
	cp "$SELF" "$R/run/w/clients.sh"
	for d in ${CLIENTS_KEEP:-}; do mkdir -p "$R$d"; mount --bind "$d" "$R$d"; done
	if [ "$(stat -Lc %d "$RT")" != "$(stat -c %d /)" ]; then      # not on the root file system: bring it
		mkdir "$R/run/w/bin"; cp -L "$RT" "$R/run/w/bin/"; RT=/run/w/bin/$(basename "$RT")
	fi
	n=$(stat -c %d /)
	cd "$R"; pivot_root . .; umount -l .; cd /
	[ "$(stat -f -c %T /)" = overlayfs ] && [ "$(stat -c %d /)" != "$n" ] && ! grep -qE '^[^ ]+ [^ ]+ [^ ]+ / / .* - (ext|xfs|btrfs)' /proc/self/mountinfo || exit 99
	export RES=/run/w/io SELF=/run/w/clients.sh W=/run/w RT
	set +e
	ip link set lo up
	if [ $mode = v1 ] || [ $mode = hy ]; then
		mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
		[ $mode = v1 ] || { mkdir /sys/fs/cgroup/unified; mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified; }
		for c in $v1; do
			case $c in
			name=*) mkdir "/sys/fs/cgroup/${c#name=}"; mount -t cgroup -o "none,$c" cgroup "/sys/fs/cgroup/${c#name=}" ;;
			xattr | release_agent=* | clone_children | noprefix | all | nsdelegate) ;;
			*) mkdir "/sys/fs/cgroup/$c"; mount -t cgroup -o "$c" cgroup "/sys/fs/cgroup/$c" ;;
			esac
		done
	else
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		if [ $mode = v2 ]; then
			mkdir /sys/fs/cgroup/init; echo 1 > /sys/fs/cgroup/init/cgroup.procs
			for c in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$c > /sys/fs/cgroup/cgroup.subtree_control; done
		fi
	fi
	mount --make-rshared /
	for d in /var/lib/containers /var/lib/docker /var/lib/containerd /var/lib/cni /tmp /var/tmp; do
		mkdir -p $d; case " $CLIENTS_KEEP $RT " in *" $d/"*) ;; *) mount -t tmpfs -o mode=$([ ${d##*/} = tmp ] && echo 1777 || echo 711) tmpfs $d ;; esac
	done
	echo "ecouser:x:61234:61234::/run/w/home:/bin/bash" >> /etc/passwd
	printf 'ecouser:x:61234:\necoextra:x:61235:ecouser\n' >> /etc/group
	for d in subuid subgid; do printf 'ecouser:300000:65536\ncontainers:400000:1000000\n' >> /etc/$d; done
	mkdir -p /run/user/61234 /run/w/home; chown 61234:61234 /run/user/61234 /run/w/home; chmod 700 /run/user/61234
	if [ $mode = sd ]; then start_systemd "$@"; else
		bash "$SELF" --sections "$@"
		: > "$RES/done"; sleep 1000
	fi
}

# A systemd with nothing but a bus: no unit of the host is ever pulled in.
start_systemd() {
	[ "$(stat -f -c %T /)" = overlayfs ] || exit 99
	[ -x /lib/systemd/systemd ] && command -v dbus-daemon > /dev/null || { bash "$SELF" --sections nosystemd; : > "$RES/done"; sleep 1000; }
	mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys
	local u=/run/systemd/system x
	for x in sysinit.target basic.target systemd-logind.service dbus-org.freedesktop.login1.service systemd-tmpfiles-setup.service systemd-tmpfiles-clean.service \
		systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket systemd-udevd.service systemd-sysctl.service; do ln -s /dev/null $u/$x; done
	cat > $W/bus.conf <<-X
	<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
	<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
	X
	cat > $u/dbus.socket <<-X
	[Unit]
	DefaultDependencies=no
	[Socket]
	ListenStream=/run/dbus/system_bus_socket
	X
	cat > $u/dbus.service <<-X
	[Unit]
	DefaultDependencies=no
	Requires=dbus.socket
	After=dbus.socket
	[Service]
	Type=notify
	NotifyAccess=main
	ExecStart=$(command -v dbus-daemon) --config-file=$W/bus.conf --address=systemd: --nofork --nopidfile
	X
	cat > $u/nookclients-main.service <<-X
	[Unit]
	DefaultDependencies=no
	Wants=dbus.service
	After=dbus.service
	[Service]
	Type=oneshot
	Delegate=yes
	StandardOutput=null
	StandardError=null
	ExecStart=/bin/bash $SELF --sdmain $*
	X
	env -0 | grep -zE '^(RT|RES|W|MODE|VERBOSE|WIDTH|CHECK_TIMEOUT|CLIENTS_KEEP|SELF)=' > /run/w/env
	exec env -i container=nookclients PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=nookclients-main.service --log-target=console --log-level=warning --show-status=no --crash-reboot=no
}

########################################################################
# sections
########################################################################
sections() {
	N=$(wc -l < "$RES/res")
	export LC_ALL=C.UTF-8 TMPDIR=$W/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	unset XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS CONTAINER_NAME NOTIFY_SOCKET LISTEN_FDS PROCS
	export HOME=$W/roothome; mkdir -p $HOME
	mkdir -p $TMPDIR; chmod 1777 $TMPDIR; cd $W
	prepare
	local s
	for s; do s_$s; done
}

ck() { # NAME SNIPPET: one check; the snippet runs under bash -e with lib.sh
	local rc log=$RES/log; : > $log
	BASH_ENV=$W/lib.sh BASH_XTRACEFD=9 timeout -k 2 $CHECK_TIMEOUT bash -eu -o pipefail -c "set -x
$2" >> $log 2>&1 9>> $log < /dev/null; rc=$?
	N=$((N + 1))
	if [ $rc = 0 ]; then
		echo ok >> "$RES/res"; echo "ok $N - $SEC: $1" >> "$RES/out"
		[ -z "${VERBOSE:-}" ] || sed 's/^/#   /' $log >> "$RES/out"
	else
		echo "not $SEC: $1" >> "$RES/res"
		{ echo "not ok $N - $SEC: $1"; [ $rc = 124 ] && echo "#   ran past $CHECK_TIMEOUT s"
		  tail -${VERBOSE:+100}${VERBOSE:-6} $log | cut -c1-${WIDTH:-300} | sed 's/^/#   /'; } >> "$RES/out"
	fi
}
skip() { N=$((N + 1)); echo skip >> "$RES/res"; echo "ok $N - $SEC: $1 # skip $2" >> "$RES/out"; }
need() { # TOOL... or skip the section
	local t; for t; do command -v $t > /dev/null || [ -x $t ] || { skip all "no $t"; return 1; }; done; }

prepare() {
	[ -e $W/rootfs.tar ] && return
	local a r=$W/rootfs nproc=10000 nofile
	mkdir -p $r/{bin,sbin,etc,tmp,root,proc,sys,dev,run,usr/bin,var/tmp,home,mnt,www}
	cp "$(command -v busybox)" $r/bin/busybox
	for a in $(busybox --list); do [ $a = busybox ] || ln -sf busybox $r/bin/$a; done
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n' > $r/etc/passwd
	printf 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n' > $r/etc/group
	chmod 1777 $r/tmp; echo page > $r/www/index.html; printf '#!/bin/sh\necho script\n' > $r/bin/script.sh; chmod 755 $r/bin/script.sh
	tar -C $r -cf $W/rootfs.tar .
	nofile=$(ulimit -Hn); [ "$nofile" = unlimited ] || [ "$nofile" -gt 20000 ] && nofile=20000
	local name; name=$(basename "$RT")
	cat > $W/containers.conf <<-X
	[containers]
	default_ulimits = ["nofile=$nofile:$nofile", "nproc=$nproc:$nproc"]
	$(grep -qw pids /sys/fs/cgroup/cgroup.controllers 2>/dev/null || [ -d /sys/fs/cgroup/pids ] || echo 'pids_limit = 0')
	[network]
	network_backend = "netavark"
	network_config_dir = "$W/net"
	[engine]
	cgroup_manager = "cgroupfs"
	events_logger = "file"
	lock_type = "file"
	infra_image = "localhost/pause:1"
	runtime_supports_json = ["$name"]
	runtime_supports_nocgroup = ["$name"]
	X
	sed '/^\[network\]/,/^network_config_dir/d' $W/containers.conf > $W/containers-rl.conf
	printf '{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_AARCH64"],"syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":13}]}' > $W/sec.json
	chmod 644 $W/*.conf $W/sec.json
	URT=$RT
	if ! setpriv --reuid=61234 --regid=61234 --clear-groups test -x "$RT" 2>/dev/null; then
		mkdir -p $W/rt; cp -L "$RT" "$W/rt/$name"; chmod 755 "$W/rt/$name"; URT=$W/rt/$name
	fi
	for a in /dev/loop-control /dev/fuse /dev/kmsg; do [ -c $a ] && DEV=$a && break; done
	{ declare -p W RT URT DEV MODE; cat <<-'X'
	TMPDIR=$W/tmp
	export CONTAINERS_CONF=$W/containers.conf STORAGE_DRIVER=overlay
	PODOPT="--root $W/root --runroot $W/prun --tmpdir $W/ptmp --volumepath $W/vols --cgroup-manager ${CGM:-cgroupfs} --events-backend file --runtime $RT"
	POD="podman $PODOPT"
	pod() { command podman $PODOPT "$@"; }
	BH="buildah --root $W/broot --runroot $W/brun"
	bh() { command $BH "$@"; }
	asuser() { ( [ -z "${UCG:-}" ] || { echo $BASHPID > $UCG/cgroup.procs; } 2> /dev/null || echo $BASHPID > ${UCG}2/cgroup.procs
		exec setpriv --reuid=61234 --regid=61234 --groups=61234,61235 env -i HOME=$W/home USER=ecouser LOGNAME=ecouser PATH=/usr/sbin:/usr/bin:/sbin:/bin TMPDIR=$TMPDIR \
		XDG_RUNTIME_DIR=/run/user/61234 ${UBUS:+DBUS_SESSION_BUS_ADDRESS=$UBUS} TERM=xterm STORAGE_DRIVER=overlay CONTAINERS_CONF=$W/containers-rl.conf "$@" ); }
	UPOD="podman --cgroup-manager ${UCGM:-cgroupfs} --events-backend file --runtime $URT"
	upod() { ( cd $W/home; asuser $UPOD "$@" ); }
	I=localhost/bb:1
	CS=$W/c.sock
	ctr() { command ctr -a $CS "$@"; }
	CR="--runtime io.containerd.runc.v2 --runc-binary $RT"
	DK="/usr/bin/docker -H unix://$W/d.sock"
	dk() { command $DK "$@"; }
	rc() { local want=$1 got=0; shift; "$@" || got=$?; [ $got = $want ] || { echo "exit status $got, wanted $want"; return 1; }; }
	has() { grep -qE -- "$1" <<< "$2" || { echo "no '$1' in: $2"; return 1; }; }
	hasnt() { ! grep -qE -- "$1" <<< "$2" || { echo "'$1' in: $2"; return 1; }; }
	tty_run() { script -qec "stty rows 33 cols 77; $*" /dev/null < /dev/null | tr -d '\r\000\004' | sed 's/\^[@D]//g'; }
	nsof() { local n; for n; do echo "readlink /proc/self/ns/$n;"; done; }
	till() { local i; for i in $(seq 50); do eval "$1" && return 0; sleep 0.1; done; return 1; }
	ctr_stopped() { ctr task ls | grep -q STOPPED; }
	until_() { local i; for i in $(seq 50); do "$@" && return 0; sleep 0.1; done; return 1; }
	cgfile() { # V1-CONTROLLER/FILE V2-FILE: read it from inside a container
		echo "cat /sys/fs/cgroup/$1 2>/dev/null || cat /sys/fs/cgroup/$2"; }
	left() { find /sys/fs/cgroup -type d -name "*$1*" | grep -v conmon; }
	X
	} > $W/lib.sh
	. $W/lib.sh
}
ctl() { [ -d /sys/fs/cgroup/$1 ] || grep -qw $1 /sys/fs/cgroup/cgroup.controllers 2>/dev/null; }
image_for() { # pod|upod: import the images
	$1 image exists localhost/bb:1 || $1 import -q -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin:/usr/bin' $W/rootfs.tar localhost/bb:1
	$1 image exists localhost/pause:1 || $1 import -q -c 'CMD ["/bin/sleep","100000"]' -c 'ENV PATH=/bin' $W/rootfs.tar localhost/pause:1
} > /dev/null 2>&1

# ---------------------------------------------------------------- podman, root
s_podman() {
	SEC=podman; need podman conmon busybox || return
	image_for pod
	ck 'info reads --version' 'out=$(pod info --format "{{.Host.OCIRuntime.Version}}"); has "version [0-9]" "$out"'
	ck 'run: exit status, stdout, stderr, stdin' '
		rc 7 pod run --rm --network=none $I sh -c "exit 7"
		[ "$(echo data | pod run --rm -i --network=none $I sh -c "cat; echo no >&2" 2>/dev/null)" = data ]
		[ "$(pod run --rm --network=none $I script.sh)" = script ]'
	ck 'run: what cannot be run gives 127 or 126' '
		rc 127 pod run --rm --network=none $I /nonexist
		rc 127 pod run --rm --network=none $I nonexist
		rc 126 pod run --rm --network=none $I /etc
		rc 126 pod run --rm --network=none $I /etc/passwd
		rc 127 pod --log-level debug run --rm --network=none $I /nonexist'
	ck 'nothing left after run --rm' '
		pod run --rm --name gone --network=none --cgroup-parent /nookclients-gone $I true
		[ -z "$(left libpod-)" ]; [ -z "$(pod ps -aq)" ]'
	ck 'bridge network' 'out=$(pod run --rm $I ip -4 addr show eth0); has "inet 10\.88\." "$out"'
	ck 'published port' 'pod run -d --name web -p 127.0.0.1:18080:80 $I httpd -f -p 80 -h /www
		until_ busybox wget -qO $W/page http://127.0.0.1:18080/; [ "$(cat $W/page)" = page ]; pod rm -f -t0 web'
	pod run -d --name c1 --network=none --health-cmd 'test -e /tmp/ok' --health-interval disable $I \
		sh -c 'echo out; echo err >&2; trap "exit 3" TERM; trap "touch /tmp/usr1" USR1; n=0; while :; do n=$((n+1)); echo $n > /tmp/n; sleep 0.1; done' > /dev/null 2>&1
	ck 'logs of a detached container' 'till "pod logs c1 2>&1 | grep -q err"; [ "$(pod logs c1 2>/dev/null)" = out ]; [ "$(pod logs c1 2>&1 >/dev/null)" = err ]'
	ck 'exec: status, user, cwd, env, stdin' '
		rc 4 pod exec c1 sh -c "exit 4"
		out=$(pod exec -u 1000 -w /tmp -e A=b c1 sh -c "id -u; id -G; pwd; echo \$A"); [ "$(echo $out)" = "1000 1000 2000 /tmp b" ] || [ "$(echo $out)" = "1000 2000 /tmp b" ]  || [ "$(echo $out)" = "1000 2000 1000 /tmp b" ]
		[ "$(echo data | pod exec -i c1 cat)" = data ]'
	ck 'exec: what cannot be run gives 127 or 126' 'rc 127 pod exec c1 /nonexist; rc 126 pod exec c1 /etc'
	ck 'exec -t: a terminal of the right size' 'out=$(tty_run $POD exec -it c1 sh -c "\"tty; sleep 0.5; stty size\""); has "^/dev/pts/" "$out"; has "^33 77" "$out"'
	ck 'exec -d and --privileged; exec joins namespaces and cgroup' '
		pod exec -d c1 touch /tmp/ok; until_ pod exec c1 test -e /tmp/ok
		out=$(pod exec --privileged c1 grep CapEff /proc/self/status); has "[1-9a-f]fffff" "$out"
		p=$(pod inspect -f "{{.State.Pid}}" c1); [ "$(pod exec c1 sh -c "$(nsof net pid mnt uts ipc)")" = "$(cd /proc/$p/ns; readlink net pid mnt uts ipc)" ]
		[ "$(pod exec c1 cat /proc/self/cgroup)" = "$(pod exec c1 cat /proc/1/cgroup)" ]'
	ck 'healthcheck' 'pod healthcheck run c1'
	ck 'top and stats' 'out=$(pod top c1 pid comm); has "^1 " "$out"; pod stats --no-stream --format "{{.PIDs}}" c1'
	ck 'pause, unpause, cp while running' '
		pod pause c1; [ "$(pod inspect -f "{{.State.Status}}" c1)" = paused ]
		a=$(cat $(pod inspect -f "{{.GraphDriver.Data.MergedDir}}" c1)/tmp/n); sleep 0.5; [ "$a" = "$(cat $(pod inspect -f "{{.GraphDriver.Data.MergedDir}}" c1)/tmp/n)" ]
		pod unpause c1; till "[ $a != \$(pod exec c1 cat /tmp/n) ]"
		echo x > $W/x; pod cp $W/x c1:/tmp/x; [ "$(pod exec c1 cat /tmp/x)" = x ]'
	ck 'kill -s reaches the process' 'pod kill -s USR1 c1; until_ pod exec c1 test -e /tmp/usr1'
	ck 'stop: handler runs, status 3; start again; restart' '
		pod stop -t 5 c1; [ "$(pod inspect -f "{{.State.ExitCode}}" c1)" = 3 ]
		pod start c1; pod restart -t 5 c1; [ "$(pod inspect -f "{{.State.Status}}" c1)" = running ]'
	ck 'rm -f of a running container; stop falls back to KILL' '
		pod rm -f -t 0 c1; pod run -d --name c2 --network=none $I sleep 1000; pod stop -t 1 c2
		[ "$(pod inspect -f "{{.State.ExitCode}}" c2)" = 137 ]; pod rm c2'
	ck 'init (created), then start' 'pod create --name i1 --network=none $I echo started; pod init i1; [ "$(pod inspect -f "{{.State.Status}}" i1)" = initialized ]; [ "$(pod start -a i1)" = started ]; pod rm i1'
	ck 'signals are passed on by podman run' '
		$POD run --rm --name sp --network=none $I sh -c "trap \"exit 5\" TERM; touch /tmp/r; while :; do sleep 0.1; done" & p=$!
		until_ pod exec sp test -e /tmp/r; kill -TERM $p; rc 5 wait $p'
	ck 'restart policy' 'pod run -d --name rp --network=none --restart on-failure:2 $I sh -c "exit 1"; until_ sh -c "[ \"\$($POD inspect -f {{.RestartCount}}{{.State.Status}} rp)\" = 2exited ]"; pod rm -f rp'
	ck 'six at once' 'for i in 1 2 3 4 5 6; do pod run --rm --network=none $I echo $i > $W/p$i & done; wait; [ "$(cat $W/p[1-6] | sort | tr -d "\n")" = 123456 ]'
	ck '-it: terminal, /dev/console, size' 'out=$(tty_run $POD run --rm -it --network=none $I sh -c "\"tty; test -c /dev/console && echo console; sleep 0.5; stty size\""); has "^/dev/pts/0" "$out"; has "^console" "$out"; has "^33 77" "$out"'
	if ctl memory && ctl cpu && ctl pids && ctl cpuset; then
		ck 'memory, cpu, pids and cpuset limits' 'out=$(pod run --rm --network=none --memory=64m --memory-swap=96m --cpus=0.5 --pids-limit=50 --cpu-shares=512 --cpuset-cpus=0 $I sh -c "
			$(cgfile memory/memory.limit_in_bytes memory.max); $(cgfile pids/pids.max pids.max); $(cgfile cpuset/cpuset.cpus cpuset.cpus); $(cgfile cpu/cpu.cfs_quota_us cpu.max)")
			[ "$(echo $out)" = "67108864 50 0 50000" ] || [ "$(echo $out)" = "67108864 50 0 50000 100000" ]'
		ck 'over the memory limit: killed, 137' 'rc 137 pod run --rm --network=none --memory=16m --memory-swap=16m $I dd if=/dev/zero of=/dev/null bs=64M count=1'
		ck 'update' 'pod run -d --name u1 --network=none --memory=64m --memory-swap=64m $I sleep 1000; pod update --memory 100m --memory-swap 100m --cpus 0.25 u1; [ "$(pod exec u1 sh -c "$(cgfile memory/memory.limit_in_bytes memory.max)")" = 104857600 ]; pod rm -f -t0 u1'
	else skip 'limits, oom, update' 'no such controllers here'; fi
	ck 'read-only root, tmpfs, masked and read-only paths' 'out=$(pod run --rm --network=none --read-only --tmpfs /t --security-opt mask=/etc/group $I sh -c "touch /x 2>/dev/null || echo ro; touch /t/x && echo t; cat /etc/group /proc/keys; touch /proc/sys/kernel/x 2>&1; ls /proc/acpi /sys/firmware 2>/dev/null | grep -v :")
		has "^ro" "$out"; has "^t$" "$out"; hasnt "extra|dsdt|acpi|efi" "$out"'
	ck 'capabilities, no-new-privileges, user' 'out=$(pod run --rm --network=none --cap-drop=all --cap-add=net_raw,chown --security-opt no-new-privileges $I grep -E "Cap|NoNew" /proc/self/status); [ $(grep -c 0000000000002001 <<< "$out") = 3 ]; has "NoNewPrivs:.1" "$out"
		out=$(pod run --rm --network=none --user 1000:1000 --cap-add=net_raw $I grep -E "Cap" /proc/self/status); has CapAmb:.0000000000002000 "$out"'
	ck 'seccomp: own profile, default, unconfined' '
		out=$(pod run --rm --network=none --security-opt seccomp=$W/sec.json $I sh -c "mkdir /q 2>&1; grep Seccomp: /proc/self/status"); has "ermission denied" "$out"; has "Seccomp:.2" "$out"
		has "Seccomp:.2" "$(pod run --rm --network=none $I grep Seccomp: /proc/self/status)"
		has "Seccomp:.0" "$(pod run --rm --network=none --security-opt seccomp=unconfined $I grep Seccomp: /proc/self/status)"'
	ck 'userns=auto' 'out=$(pod run --rm --network=none --userns=auto:size=2000 $I sh -c "cat /proc/self/uid_map; stat -c %u / /proc/1 /dev/pts/ptmx; touch /q && echo w; test -w /dev/null && echo n"); [ "$(echo $out)" = "0 400000 2000 0 0 0 w n" ]'
	ck 'userns=auto with a network; exec into it; join it' 'pod run -d --name u1 --userns=auto:size=1000 $I sleep 1000; has "inet 10.88" "$(pod exec u1 ip -4 a)"; [ "$(pod exec u1 id -u)" = 0 ]
		out=$(pod run --rm --userns=container:u1 --pid=container:u1 --network=none $I sh -c "cat /proc/self/uid_map; ps"); has "0 +400000 +1000" "$out"; has "sleep 1000" "$out"; pod rm -f -t0 u1'
	ck 'idmapped volume' 'mkdir -p $W/idv; touch $W/idv/r; out=$(pod run --rm --network=none --userns=auto:size=2000 -v $W/idv:/v:idmap $I sh -c "stat -c %u /v/r; touch /v/n"); [ "$out" = 0 ]; [ "$(stat -c %u $W/idv/n)" = 0 ]'
	ck 'volumes: ro, named, overlay, tmpfs options, tmpcopyup, propagation' 'mkdir -p $W/vol; echo f > $W/vol/f
		out=$(pod run --rm --network=none -v $W/vol:/v:ro -v nv:/n -v $W/vol:/o:O -v $W/vol:/w:nosuid,noexec,rslave --mount type=tmpfs,dst=/tt,tmpfs-size=1m,tmpfs-mode=700 $I sh -c "touch /v/x 2>/dev/null || echo ro; touch /n/x && echo n; touch /o/x && echo o; stat -c %a /tt; grep \" /w \" /proc/self/mountinfo")
		has "^ro" "$out"; has "^n$" "$out"; has "^o$" "$out"; has "^700" "$out"; has "nosuid,noexec.* master:" "$out"; [ ! -e $W/vol/x ]
		has "passwd" "$(pod run --rm --network=none --mount type=tmpfs,dst=/etc,tmpcopyup $I ls /etc)"; pod volume rm nv'
	ck 'image volume, devpts mount, systemd mode' 'pod run --rm --network=none --mount type=image,src=$I,dst=/iv $I test -e /iv/bin/busybox; pod run --rm --network=none --mount type=devpts,dst=/dp $I test -c /dp/ptmx
		out=$(pod run --rm --network=none --systemd=always $I sh -c "mount"); has "tmpfs on /run/lock" "$out"'
	[ -n "${DEV:-}" ] && ck 'devices: given read-only, others refused' '
		out=$(pod run --rm --network=none --cap-add mknod --device $DEV:/dev/xx:r $I sh -c "test -c /dev/xx && echo there; exec 3</dev/xx && echo read; (exec 4>/dev/xx) 2>/dev/null || echo nowrite; mknod /d c 10 61 && echo mk; (exec 5</d) 2>&1 || :")
		has "^there" "$out"; has "^read" "$out"; has "^nowrite" "$out"; has "^mk" "$out"; has "not permitted" "$out"'
	ck 'hostname, ulimit, oom score, umask, groups, shm, sysctl, workdir, annotation' '
		out=$(pod run --rm --network=none --hostname hh --ulimit nofile=100:200 --ulimit nproc=1000:1000 --oom-score-adj 500 --user 1000:1000 --group-add 2000 --workdir /tmp --umask 0077 --shm-size 1m --sysctl net.ipv4.ip_forward=1 --sysctl kernel.shm_rmid_forced=1 --annotation a=b --env X=y $I sh -c "hostname; ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj; umask; id -G; pwd; df -k /dev/shm | tail -1; cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced; echo \$X")
		has "^hh 100 200 500 0077 1000 2000 /tmp shm +1024.* 1 1 y$" "$(echo $out)"'
	if [ -x /usr/libexec/podman/catatonit ] || command -v catatonit > /dev/null; then ck '--init' 'has "init" "$(pod run --rm --network=none --init $I cat /proc/1/cmdline | tr "\0" " ")"'; fi
	ck '--preserve-fds, and no other descriptor leaks in' 'exec 3< /etc/hostname 7< /etc/passwd; [ "$(pod run --rm --network=none --preserve-fds 1 $I sh -c "cat <&3")" = "$(cat /etc/hostname)" ]
		out=$(pod run --rm --network=none $I ls -l /proc/self/fd); [ $(grep -c -e "->" <<< "$out") -le 4 ]'
	ck 'pod: shared net, ipc, uts; pause; stop' '
		pod pod create --name p1 --share net,ipc,uts --network none; pod run -d --name pc --pod p1 $I sleep 1000
		out=$(pod exec pc sh -c "$(nsof net ipc uts)"); has "^uts:" "$out"; [ "$out" = "$(pod run --rm --pod p1 $I sh -c "$(nsof net ipc uts)")" ]
		pod pod pause p1; pod pod unpause p1; pod pod stop -t0 p1; pod pod rm -f -t0 p1'
	ck 'pod with a shared pid namespace' 'pod pod create --name p2 --share pid --network none; out=$(pod run --rm --pod p2 --network none $I ps); has "^ *1 .*sleep 100000" "$out"; pod pod rm -f -t0 p2'
	ck 'kube play' 'printf "apiVersion: v1\nkind: Pod\nmetadata: {name: kp}\nspec:\n  containers:\n  - name: a\n    image: $I\n    command: [sleep, \"1000\"]\n    securityContext: {capabilities: {drop: [ALL]}, readOnlyRootFilesystem: true}\n" > $W/k.yaml
		pod kube play --network none $W/k.yaml; [ "$(pod inspect -f "{{.State.Status}}" kp-a)" = running ]; has CapEff:.0000000000000000 "$(pod exec kp-a grep CapEff /proc/self/status)"; pod kube down $W/k.yaml'
	ck 'joining another container; host namespaces' '
		pod run -d --name n1 --network=none $I sleep 1000; out=$(pod run --rm --network=container:n1 --pid=container:n1 --ipc=container:n1 --uts=container:n1 $I sh -c "ps; hostname"); has "sleep 1000" "$out"; has "^$(pod exec n1 hostname)" "$out"
		[ "$(pod run --rm --network=host --pid=host --uts=host --cgroupns=host $I sh -c "$(nsof net pid uts cgroup)")" = "$(cd /proc/self/ns; readlink net pid uts cgroup)" ]
		pod run -d --name h1 --pid=host --network=none $I sh -c "sleep 1234 & sleep 1000"; pod stop -t0 h1; until_ sh -c "! pgrep -f \"^sleep 1234\" >/dev/null"; pod rm -f -t0 n1 h1'
	ck 'cgroupns=private, --cgroup-parent' 'out=$(pod run --rm --network=none --cgroupns=private $I cat /proc/self/cgroup); hasnt libpod "$out"
		pod run -d --name cp --network=none --cgroup-parent=/ecoparent $I sleep 1000; has "/ecoparent/libpod-" "$(cat /proc/$(pod inspect -f "{{.State.Pid}}" cp)/cgroup)"; pod rm -f -t0 cp'
	ck '--cgroups=disabled (crun --cgroup-manager disabled)' 'pod run --rm --network=none --cgroups=disabled $I true'
	ck '--privileged' 'out=$(pod run --rm --network=none --privileged $I sh -c "grep CapEff /proc/self/status; ls /dev | wc -l; mount | grep -c \"/sys/fs/cgroup.*rw\"; mount -t tmpfs t /mnt && echo mounted"); has "fffff" "$out"; has mounted "$out"'
	ck 'OCI hooks of every stage that podman passes' 'mkdir -p $W/hooks; : > $W/hook.log; chmod 666 $W/hook.log
		printf "#!/bin/sh\nprintf \"%%s \" \$1 >> $W/hook.log; cat | tr -d \"\\\\n\" >> $W/hook.log; echo >> $W/hook.log\n" > $W/hook; chmod 755 $W/hook
		for s in prestart createRuntime poststart; do printf "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"$W/hook\",\"args\":[\"hook\",\"$s\"],\"timeout\":5},\"when\":{\"always\":true},\"stages\":[\"$s\"]}" > $W/hooks/$s.json; done
		pod --hooks-dir $W/hooks run --rm --network=none $I sleep 0.2; for s in prestart createRuntime poststart; do has "^$s .*\"id\": ?\".*\"pid\": ?[1-9].*\"bundle\"" "$(grep "^$s" $W/hook.log)"; done
		[ "$(cut -d" " -f1 $W/hook.log | head -2 | tr "\n" " ")" = "prestart createRuntime " ]
		printf "{\"version\":\"1.0.0\",\"hook\":{\"path\":\"/bin/false\"},\"when\":{\"always\":true},\"stages\":[\"createRuntime\"]}" > $W/hooks/bad.json; ! pod --hooks-dir $W/hooks run --rm --network=none $I true'
	ck 'sdnotify=container' 'pod run -d --name sd --network=none --sdnotify=container $I sh -c "test -S \$NOTIFY_SOCKET && echo sock; sleep 1" > /dev/null; till "pod logs sd | grep -q sock"; pod rm -f -t0 sd'
	ck '--rootfs DIR' '[ "$(pod run --rm --network=none --rootfs $W/rootfs:O echo r)" = r ]'
	ck 'podman build (RUN)' 'mkdir -p $W/pb; printf "FROM $I\nRUN echo hi > /x\nRUN test \$(cat /x) = hi\n" > $W/pb/Containerfile; pod build -q --runtime $RT --network none -t localhost/pb:1 $W/pb; pod rmi localhost/pb:1'
	ck 'all gone' 'pod rm -af -t0; pod pod rm -af -t0; [ -z "$(pod ps -aq)" ]; [ -z "$(left libpod-)" ]'
}

# ---------------------------------------------------------------- podman, rootless
s_rootless() {
	SEC=rootless; need podman conmon setpriv newuidmap || return
	image_for upod
	ck 'run: uid map, status, streams' 'out=$(upod run --rm --network=none $I sh -c "id -u; cat /proc/self/uid_map"); [ "$(echo $out)" = "0 0 61234 1 1 300000 65536" ]; rc 7 upod run --rm --network=none $I sh -c "exit 7"; rc 127 upod run --rm --network=none $I /nonexist'
	ck 'keep-id' 'out=$(upod run --rm --network=none --userns=keep-id $I sh -c "id -u; id -un; touch /tmp/x; stat -c %u /tmp/x"); [ "$(echo $out)" = "61234 ecouser 61234" ]'
	ck 'userns=auto, nomap' 'has "0 +1 +2000" "$(upod run --rm --network=none --userns=auto:size=2000 $I cat /proc/self/uid_map)"; has "0 +1 +65536" "$(upod run --rm --network=none --userns=nomap $I cat /proc/self/uid_map)"'
	if command -v slirp4netns > /dev/null; then
		ck 'slirp4netns network and port' 'has "inet 10\.0\.2\.100" "$(upod run --rm $I ip -4 a)"; upod run -d --name web -p 127.0.0.1:18081:80 $I httpd -f -p 80 -h /www; until_ busybox wget -qO $W/page2 http://127.0.0.1:18081/; [ "$(cat $W/page2)" = page ]; upod rm -f -t0 web'
	fi
	upod run -d --name c1 --network=none $I sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done' > /dev/null 2>&1
	ck 'exec: status, user, terminal' 'rc 4 upod exec c1 sh -c "exit 4"; [ "$(upod exec -u 1000 c1 id -u)" = 1000 ]; cd $W/home; out=$(asuser script -qec "$UPOD exec -it c1 tty" /dev/null < /dev/null | tr -d "\r\000" | sed "s/\^[@D]//g"); has "/dev/pts/" "$out"'
	ck 'stop: handler runs, status 3; start, kill, rm' 'upod stop -t 5 c1; [ "$(upod inspect -f "{{.State.ExitCode}}" c1)" = 3 ]; upod start c1; upod kill c1; upod rm -f -t0 c1'
	ck 'volumes, read-only root, tmpfs' 'asuser mkdir -p $W/home/v; out=$(upod run --rm --network=none -v $W/home/v:/v -v n1:/n --read-only --tmpfs /t $I sh -c "touch /v/x /n/x /t/x && echo w; touch /z 2>/dev/null || echo ro; stat -c %u /v/x"); [ "$(echo $out)" = "w ro 0" ]; [ "$(stat -c %u $W/home/v/x)" = 61234 ]'
	ck '-it' 'cd $W/home; out=$(asuser script -qec "$UPOD run --rm -it --network=none $I sh -c \"tty; test -c /dev/console && echo console\"" /dev/null < /dev/null | tr -d "\r\000" | sed "s/\^[@D]//g"); has "/dev/pts/0" "$out"; has console "$out"'
	ck 'seccomp, capabilities, no-new-privileges' 'has "ermission denied" "$(upod run --rm --network=none --security-opt seccomp=$W/sec.json $I mkdir /q 2>&1 || :)"; out=$(upod run --rm --network=none --cap-drop all --security-opt no-new-privileges $I grep -E "CapEff|NoNew" /proc/self/status); has "CapEff:.0000000000000000" "$out"; has "NoNewPrivs:.1" "$out"'
	ck 'user and group-add' '[ "$(upod run --rm --network=none --user 1000:1000 --group-add 2000 $I id -G | tr " " "\n" | sort -n | tr "\n" " ")" = "1000 2000 " ]'
	ck 'group-add keep-groups (run.oci.keep_original_groups)' 'has "(^| )65534( |$)" "$(upod run --rm --network=none --group-add keep-groups $I id -G)"'
	ck 'privileged; pid and network of the host' 'has mounted "$(upod run --rm --network=none --privileged $I sh -c "mount -t tmpfs t /mnt && echo mounted")"; upod run --rm --network=host --pid=host $I true'
	ck 'pod and joined namespaces' 'upod pod create --name p1 --share net,ipc,uts,pid --network none; has "sleep 100000" "$(upod run --rm --pod p1 $I ps)"; upod pod rm -f -t0 p1'
	if command -v buildah > /dev/null; then
		ck 'buildah bud, rootless' 'mkdir -p $W/home/b; printf "FROM $I\nRUN echo hi > /x && id -u\nUSER 1000\nRUN test \$(cat /x)\$(id -u) = hi1000\n" > $W/home/b/Containerfile; cd $W/home; asuser buildah bud --runtime $URT --network none -t localhost/t:1 $W/home/b'
	fi
	ck 'all gone' 'upod rm -af -t0; upod pod rm -af -t0; [ -z "$(upod ps -aq)" ]'
}

# ---------------------------------------------------------------- buildah, root
s_buildah() {
	SEC=buildah; need buildah busybox || return
	local c; c=$(bh from scratch); bh add -q $c $W/rootfs.tar / > /dev/null; bh config --env PATH=/bin $c; bh commit -q $c localhost/bb:1 > /dev/null; bh rm $c > /dev/null
	mkdir -p $W/b
	ck 'bud: RUN, USER, WORKDIR, cache and tmpfs mounts' '
		printf "FROM $I\nRUN echo hi > /x && id -u\nUSER 1000:1000\nWORKDIR /home\nRUN test \$(id -u)\$(pwd) = 1000/home\nUSER root\nRUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t mount | grep -q \" /t type tmpfs\" && touch /c/f\nRUN test \$(cat /x) = hi\n" > $W/b/Containerfile
		bh bud --network none --runtime $RT -t localhost/t:1 $W/b'
	ck 'bud: a failing RUN gives its status, a missing command a message' '
		printf "FROM $I\nRUN exit 7\n" > $W/b/F; rc 7 bh bud --network none --runtime $RT -f $W/b/F $W/b
		printf "FROM $I\nRUN [\"/nonexist\"]\n" > $W/b/F; out=$(bh bud --network none --runtime $RT -f $W/b/F $W/b 2>&1 || :); has "[Nn]o such file or directory" "$out"'
	ck 'bud on the bridge network' 'printf "FROM $I\nRUN ip -4 a | grep -q 10.88\n" > $W/b/F; bh bud --runtime $RT -f $W/b/F $W/b'
	ck 'run: stdin, volume, capabilities, status' 'c=$(bh from $I); [ "$(echo data | bh run --network none --runtime $RT $c cat)" = data ]; mkdir -p $W/bv; bh run --network none --runtime $RT --cap-drop all --user 1000 --hostname hh -v $W/bv:/v:ro $c sh -c "[ \$(id -u) = 1000 ] && [ \$(hostname) = hh ] && ! touch /v/x 2>/dev/null"; rc 9 bh run --network none --runtime $RT $c sh -c "exit 9"'
	ck 'run -t: terminal, status' 'c=$(bh from $I); out=$(tty_run $BH run --network none --runtime $RT -t $c sh -c "\"tty; exit 3\"") || :; has "/dev/pts/0" "$out"; has "status 3" "$out"'
	ck 'isolation rootless (--no-new-keyring); limits' 'c=$(bh from $I); bh run --isolation rootless --network none --runtime $RT $c true; printf "FROM $I\nRUN true\n" > $W/b/F; bh bud --network none --runtime $RT --memory 64m --cpu-shares 100 --ulimit nofile=100:100 --cgroup-parent /ecob -f $W/b/F $W/b'
	ck 'nothing left' 'bh rm -a; [ -z "$(find /sys/fs/cgroup -type d -name "buildah-*")" ]'
}

# ---------------------------------------------------------------- containerd
start_containerd() {
	[ -S $W/c.sock ] && return
	mkdir -p $W/cni /run/containerd
	cat > $W/ctd.toml <<-X
	version = 2
	root = "$W/ctd"
	state = "/run/containerd/state"
	[grpc]
	address = "$W/c.sock"
	[plugins."io.containerd.grpc.v1.cri"]
	  restrict_oom_score_adj = true
	  sandbox_image = "docker.io/library/pause:1"
	  [plugins."io.containerd.grpc.v1.cri".cni]
	    bin_dir = "/usr/lib/cni"
	    conf_dir = "$W/cni"
	  [plugins."io.containerd.grpc.v1.cri".containerd]
	    default_runtime_name = "x"
	    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.x]
	      runtime_type = "io.containerd.runc.v2"
	      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.x.options]
	        BinaryName = "$RT"
	X
	printf '{"cniVersion":"0.4.0","name":"eco","plugins":[{"type":"bridge","bridge":"ecocni0","isGateway":true,"ipMasq":false,"ipam":{"type":"host-local","dataDir":"%s/ipam","ranges":[[{"subnet":"10.99.0.0/24"}]]}},{"type":"loopback"}]}' $W > $W/cni/10-eco.conflist
	containerd -c $W/ctd.toml > $W/ctd.log 2>&1 &
	until_ test -S $W/c.sock
	image_for pod
	pod save -q --format oci-archive -o $W/bb.oci localhost/bb:1 > /dev/null 2>&1; pod save -q --format oci-archive -o $W/pause.oci localhost/pause:1 > /dev/null 2>&1
	until_ ctr version > /dev/null 2>&1
	ctr image import $W/bb.oci > /dev/null 2>&1
	ctr -n k8s.io image import $W/bb.oci > /dev/null 2>&1; ctr -n k8s.io image import $W/pause.oci > /dev/null 2>&1
	ctr -n k8s.io image tag localhost/bb:1 docker.io/library/bb:1 > /dev/null 2>&1; ctr -n k8s.io image tag localhost/pause:1 docker.io/library/pause:1 > /dev/null 2>&1
}
s_ctr() {
	SEC=ctr; need containerd ctr podman || return
	start_containerd
	ck 'run: output, status' '[ "$(ctr run --rm $CR $I r1 echo hi)" = hi ]; rc 3 ctr run --rm $CR $I r2 sh -c "exit 3"'
	ck 'run: errors of the runtime come through its log' 'out=$(ctr run --rm $CR $I r3 /nonexist 2>&1 || :); has "OCI runtime create failed.*/nonexist.*([Nn]o such file|not found)" "$out"'
	ctr run -d $CR ${LIMS:-} $I b1 sh -c 'trap "exit 3" TERM; sleep 1234 & while :; do sleep 0.1; done' > $W/b1 2>&1
	ck 'detached: task ls, ps, metrics' 'has "^b1 .*RUNNING" "$(ctr task ls)"; [ $(ctr task ps b1 | wc -l) -ge 3 ]; has "^pids.current" "$(ctr task metrics b1)"'
	ck 'exec: status, user, cwd, terminal, error' 'rc 4 ctr task exec --exec-id e1 b1 sh -c "exit 4"; [ "$(ctr task exec --exec-id e2 --user 1000 --cwd /tmp b1 sh -c "id -u; pwd" | tr "\n" " ")" = "1000 /tmp " ]
		out=$(tty_run "ctr -a $CS task exec -t --exec-id e3 b1 tty"); has "/dev/pts/0" "$out"; out=$(ctr task exec --exec-id e4 b1 /nonexist 2>&1 || :); has "OCI runtime exec failed.*/nonexist.*([Nn]o such file|not found)" "$out"'
	ck 'pause, resume' 'ctr task pause b1; has "b1 .*PAUSED" "$(ctr task ls)"; ctr task resume b1; has "b1 .*RUNNING" "$(ctr task ls)"'
	ck 'kill, exit status, delete' 'ctr task kill -s TERM b1; until_ ctr_stopped; out=$(ctr task delete b1 2>&1) || :; has "code 3" "$out"; ctr c delete b1; [ -z "$(find /sys/fs/cgroup -type d -name b1)" ]'
	ck 'kill --all, delete -f' 'ctr run -d $CR $I b2 sh -c "sleep 1000 & sleep 1000"; ctr task kill -s KILL --all b2; until_ ctr_stopped; ctr task delete b2 || :; ctr c delete b2; ctr run -d $CR $I b3 sleep 1000; ctr task delete -f b3 || :; ctr c delete b3'
	ck 'terminal' 'out=$(tty_run "ctr -a $CS run --rm -t $CR $I t1 sh -c \"tty; test -c /dev/console && echo console\""); has "/dev/pts/0" "$out"; has console "$out"'
	ck 'options: read-only, caps, seccomp, mount, cgroup, propagation, device, pid file' 'mkdir -p $W/vol; out=$(ctr run --rm $CR --read-only --cap-drop CAP_CHOWN --cap-add CAP_NET_ADMIN --cwd /tmp --env A=b --mount type=bind,src=$W/vol,dst=/v,options=rbind:ro --seccomp --rootfs-propagation slave --device $DEV --pid-file $W/pf --cgroup /ecoctr/o1 --annotation k=v $I o1 sh -c "grep -E \"CapEff|Sec|NoNew\" /proc/self/status; pwd; echo \$A; touch /x 2>/dev/null || echo ro; touch /v/x 2>/dev/null || echo rov; test -c $DEV && echo dev; cat /proc/self/cgroup")
		has "Seccomp:.2" "$out"; has "NoNewPrivs:.1" "$out"; has "CapEff:.00000000a80435fa" "$out"; has "^/tmp" "$out"; has "^ro$" "$out"; has "^rov$" "$out"; has "^dev" "$out"; has ecoctr/o1 "$out"'
	ck 'user namespace; joined namespaces; other --root' 'has "0 +100000 +5000" "$(ctr run --rm $CR --uidmap 0:100000:5000 --gidmap 0:100000:5000 $I u1 cat /proc/self/uid_map)"; has "^ *1 .*(bash|systemd)" "$(ctr run --rm $CR --with-ns pid:/proc/1/ns/pid $I u2 ps)"; [ "$(ctr run --rm $CR --runc-root $W/rr $I u3 echo rr)" = rr ]'
	ck 'privileged' 'has "fffff" "$(ctr run --rm $CR --privileged $I pr grep CapEff /proc/self/status)"'
	ck 'all gone' '[ "$(ctr task ls -q | wc -l)" = 0 ]; [ "$(ctr c ls -q | wc -l)" = 0 ]; [ -z "$(find /sys/fs/cgroup -type d -path "*/default/*")" ]'
}

# ---------------------------------------------------------------- CRI, as the kubelet would
s_cri() {
	SEC=cri; need containerd ctr podman /usr/bin/python3 || return
	/usr/bin/python3 -c 'import grpc' 2>/dev/null || { skip all 'no python3-grpcio'; return; }
	start_containerd; cri_py > $W/cri.py
	local s; for s in sandbox exec exec-oom execsync-timeout update stats stop tty-nonroot noent podns cni; do
		ck "$s" "/usr/bin/python3 $W/cri.py $W/c.sock $s"
	done
	ck 'all gone' '[ "$(ctr -n k8s.io task ls -q | wc -l)" = 0 ]; [ -z "$(find /sys/fs/cgroup -type d -path "*/nookclients-cri/*")" ]'
}
cri_py() { cat <<'X'
# A small CRI client: protobuf wire format by hand over grpc.  Field numbers are
# those of runtime.v1.
import sys, time, grpc
def vint(n):
    n &= (1 << 64) - 1; o = bytearray()
    while True:
        b = n & 127; n >>= 7; o.append(b | (128 if n else 0))
        if not n: return bytes(o)
def enc(m):
    o = b''
    for f, v in m:
        if isinstance(v, int): o += vint(f << 3) + vint(int(v)); continue
        v = v.encode() if isinstance(v, str) else enc(v) if isinstance(v, list) else v
        o += vint(f << 3 | 2) + vint(len(v)) + v
    return o
def dec(b):
    i = 0; r = []
    def rv():
        nonlocal i
        n = s = 0
        while True:
            c = b[i]; i += 1; n |= (c & 127) << s; s += 7
            if c < 128: return n
    while i < len(b):
        k = rv(); f, w = k >> 3, k & 7
        if w == 0: r.append((f, rv()))
        elif w == 2: n = rv(); r.append((f, b[i:i + n])); i += n
        elif w == 1: r.append((f, b[i:i + 8])); i += 8
        else: r.append((f, b[i:i + 4])); i += 4
    return r
def get(m, *path):
    for p in path:
        m = next((v for k, v in (dec(m) if isinstance(m, bytes) else m) if k == p), None)
        if m is None: return None
    return m
ch = grpc.insecure_channel('unix://' + sys.argv[1])
def call(name, m, svc='RuntimeService'):
    f = ch.unary_unary('/runtime.v1.%s/%s' % (svc, name), request_serializer=enc, response_deserializer=dec)
    return f(m, timeout=30)
def fails(name, m):
    try: call(name, m)
    except grpc.RpcError as e: return e.details()
    raise SystemExit('no error')
NODE, IMG, LOG = 2, 'docker.io/library/bb:1', '/run/containerd/logs'
which = sys.argv[2]
def sandbox(name, net=NODE):
    c = [(1, [(1, name), (2, 'uid-' + name), (3, 'default')]), (2, '' if net == NODE else name + '-host'), (3, LOG), (8, [(1, '/nookclients-cri'), (2, [(1, [(1, net), (2, 1)])])])]
    return c, get(call('RunPodSandbox', [(1, c)]), 1).decode()
def container(cfg, pod, cmd, res=[], sec=[], tty=False, name='c', pidmode=1):
    cc = [(1, [(1, name)]), (2, [(1, IMG)])] + [(3, a) for a in cmd] + [(6, [(1, 'A'), (2, 'b')]), (11, name + '.log'), (14, tty), (15, [(1, res), (2, [(3, [(1, NODE), (2, pidmode)])] + sec)])]
    return get(call('CreateContainer', [(1, pod), (2, cc), (3, cfg)]), 1).decode()
def start(c): call('StartContainer', [(1, c)])
def ex(c, *cmd, t=0):
    r = call('ExecSync', [(1, c)] + [(2, a) for a in cmd] + [(3, t)])
    return (get(r, 1) or b'').decode(), (get(r, 2) or b'').decode(), get(r, 3) or 0
def status(c): return dec(get(call('ContainerStatus', [(1, c)]), 1))
def exitcode(c, n=50):
    for i in range(n):
        s = status(c)
        if get(s, 3) == 2: return get(s, 7) or 0
        time.sleep(0.1)
    raise SystemExit('still running')
def log(name): return open('%s/%s.log' % (LOG, name)).read()
LOOP = ['sh', '-c', 'trap "exit 3" TERM; echo out; echo err >&2; while :; do sleep 0.1; done']
cfg, pod = sandbox('p-' + which, 0 if which == 'cni' else NODE)
ctrs = []
def run(*a, **k):
    c = container(cfg, pod, *a, **k); ctrs.append(c); start(c); return c
try:
    if which == 'sandbox':
        assert b'\x0cRuntimeReady\x10\x01' in get(call('Status', []), 1)
        c = run(['sh', '-c', 'echo $A; exit 5']); assert exitcode(c) == 5; assert 'stdout F b' in log('c'), log('c')
    elif which == 'exec':
        c = run(LOOP, res=[(1, 100000), (2, 50000), (3, 512), (5, 500)], name='ce')
        o = ex(c, 'sh', '-c', 'id -u; echo e >&2; cat /proc/1/oom_score_adj; exit 4'); print(o); assert o == ('0\n500\n', 'e\n', 4)
        assert 'stderr F err' in log('ce')
    elif which == 'exec-oom':
        c = run(LOOP, res=[(5, 500)], name='co'); o = ex(c, 'cat', '/proc/self/oom_score_adj'); print(o); assert o[0] == '500\n'
    elif which == 'execsync-timeout':
        c = run(LOOP, name='ct'); m = fails('ExecSync', [(1, c), (2, 'sleep'), (2, '100'), (3, 1)]); print(m); assert 'timeout' in m
        time.sleep(0.3); o = ex(c, 'ps'); print(o); assert 'sleep 100' not in o[0].replace('sleep 1000', '')
    elif which == 'update':
        c = run(LOOP, res=[(3, 512)], name='cu'); call('UpdateContainerResources', [(1, c), (2, [(3, 200)])])
        o = ex(c, 'sh', '-c', 'cat /sys/fs/cgroup/cpu/cpu.shares 2>/dev/null || cat /sys/fs/cgroup/cpu.weight'); print(o); assert o[0] in ('200\n', '8\n') or o[2]
    elif which == 'stats':
        c = run(LOOP, name='cs'); time.sleep(0.5); r = call('ContainerStats', [(1, c)]); assert get(r, 1, 1, 1).decode() == c; assert get(r, 1, 2) is not None
    elif which == 'stop':
        c = run(LOOP, name='cp'); call('StopContainer', [(1, c), (2, 5)]); assert exitcode(c) == 3; call('RemoveContainer', [(1, c)]); ctrs.remove(c)
        c = run(['sleep', '1000'], name='ck'); call('StopContainer', [(1, c), (2, 0)]); assert exitcode(c) == 137
    elif which == 'tty-nonroot':
        c = run(['sh', '-c', 'id -u; grep -E "CapEff|NoNew" /proc/self/status; touch /x; tty'], tty=True, name='cn', sec=[(1, [(1, 'NET_ADMIN'), (2, 'CHOWN')]), (5, [(1, 1000)]), (11, True), (7, True)])
        exitcode(c); l = log('cn'); print(l); assert 'F 1000' in l and 'CapEff:\t0000000000000000' in l and 'NoNewPrivs:\t1' in l and 'Read-only' in l and '/dev/pts/0' in l
    elif which == 'noent':
        c = container(cfg, pod, ['/nonexist'], name='cx'); ctrs.append(c); m = fails('StartContainer', [(1, c)]); print(m); assert 'no such file' in m.lower() or 'not found' in m
        c = run(LOOP, name='cy'); m = fails('ExecSync', [(1, c), (2, '/nonexist')]); print(m); assert 'no such file' in m.lower() or 'not found' in m
    elif which == 'podns':
        c = run(LOOP, name='ca', pidmode=0); d = run(LOOP, name='cb', pidmode=0); o = [ex(c, 'readlink', '/proc/self/ns/' + n) for n in ('pid', 'ipc')]; assert o[0][0].startswith('pid:') and o == [ex(d, 'readlink', '/proc/self/ns/' + n) for n in ('pid', 'ipc')]
        o = ex(d, 'cat', '/proc/1/cmdline'); print(o); assert 'sleep' in o[0]
        call('StopContainer', [(1, c), (2, 1)]); assert exitcode(c) == 3; assert ex(d, 'true')[2] == 0
    elif which == 'cni':
        s = call('PodSandboxStatus', [(1, pod)]); print(s); assert (get(s, 1, 5, 1) or b'').startswith(b'10.99.0.')
finally:
    for c in ctrs:
        try: call('RemoveContainer', [(1, c)])
        except grpc.RpcError as e: print(e.details())
    call('StopPodSandbox', [(1, pod)]); call('RemovePodSandbox', [(1, pod)])
X
}

# ---------------------------------------------------------------- dockerd
s_docker() {
	SEC=docker; need dockerd /usr/bin/docker containerd || return
	mkdir -p $W/dkcfg; export DOCKER_CONFIG=$W/dkcfg
	unshare -m --propagation slave sh -c 'mount --bind /proc/sys/kernel /proc/sys/kernel; mount -o remount,bind,ro /proc/sys/kernel; exec "$@"' sh \
		dockerd --data-root $W/dk --exec-root $W/dkx --pidfile $W/dk.pid -H unix://$W/d.sock --add-runtime x=$RT --default-runtime x --storage-driver overlay2 > $W/dk.log 2>&1 &
	local i; for i in $(seq 150); do dk version > /dev/null 2>&1 && break; sleep 0.1; done
	dk import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin:/usr/bin' $W/rootfs.tar bb:1 > /dev/null 2>&1
	export NN='--network none'
	ck 'info reads --version' 'out=$(dk version); has "^ x:" "$out"; dk version | sed -n "/^ x:/,/GitCommit/p" | grep -E "Version: +[0-9]"'
	ck 'run: status, streams, environment' 'rc 7 dk run --rm $NN bb:1 sh -c "exit 7"; [ "$(echo data | dk run --rm -i $NN -e A=b bb:1 sh -c "cat; echo \$A; echo no >&2" 2>/dev/null | tr "\n" " ")" = "data b " ]'
	ck 'run: what cannot be run gives 127 or 126' 'rc 127 dk run --rm $NN bb:1 /nonexist; rc 127 dk run --rm $NN bb:1 nonexist; rc 126 dk run --rm $NN bb:1 /etc; rc 126 dk run --rm $NN bb:1 /etc/passwd'
	dk run -d --name c1 $NN --health-cmd true --health-interval 1s bb:1 sh -c 'echo out; trap "exit 3" TERM; while :; do sleep 0.1; done' > /dev/null 2>&1
	ck 'exec: status, user, cwd, env, stdin, terminal' 'rc 4 dk exec c1 sh -c "exit 4"; [ "$(dk exec -u 1000 -w /tmp -e A=b c1 sh -c "id -u; pwd; echo \$A" | tr "\n" " ")" = "1000 /tmp b " ]; [ "$(echo data | dk exec -i c1 cat)" = data ]; has /dev/pts/ "$(tty_run $DK exec -it c1 tty)"; ! dk exec c1 /nonexist'
	ck 'health, top, stats, logs' 'until_ sh -c "[ \"\$($DK inspect -f {{.State.Health.Status}} c1)\" = healthy ]"; has "while" "$(dk top c1)"; dk stats --no-stream c1; [ "$(dk logs c1)" = out ]'
	ck 'pause, unpause' 'dk pause c1; has Paused "$(dk ps)"; dk unpause c1; dk exec c1 true'
	if ctl memory; then
		ck 'update' 'dk update --memory 100m --memory-swap 200m --cpus 0.5 c1; [ "$(dk exec c1 sh -c "$(cgfile memory/memory.limit_in_bytes memory.max)")" = 104857600 ]'
	fi
	ck 'stop: status 3; start, restart, rm -f' 'dk stop -t 5 c1; [ "$(dk inspect -f "{{.State.ExitCode}}" c1)" = 3 ]; dk start c1; dk restart -t 1 c1; dk rm -f c1'
	ck 'terminal' 'out=$(tty_run $DK run --rm -it $NN bb:1 sh -c "\"tty; test -c /dev/console && echo console\""); has "/dev/pts/0" "$out"; has console "$out"'
	if ctl memory && ctl pids; then
		ck 'limits, oom' 'out=$(dk run --rm $NN --memory 64m --memory-swap 128m --cpus 0.5 --pids-limit 50 --oom-score-adj 500 bb:1 sh -c "$(cgfile memory/memory.limit_in_bytes memory.max); $(cgfile pids/pids.max pids.max); cat /proc/self/oom_score_adj"); [ "$(echo $out)" = "67108864 50 500" ]
			for i in 1 2 3; do   # the event may lose the race against the exit, so a few tries
				rc 137 dk run --name oom$i $NN --memory 16m --memory-swap 16m bb:1 dd if=/dev/zero of=/dev/null bs=64M count=1; k=$(dk inspect -f "{{.State.OOMKilled}}" oom$i); dk rm oom$i; [ $k = true ] && break; done; [ $k = true ]'
	fi
	ck 'read-only, tmpfs, caps, seccomp, user, volumes, device, sysctl, init' 'mkdir -p $W/vol; out=$(dk run --rm $NN --read-only --tmpfs /t --cap-drop all --cap-add net_raw --security-opt no-new-privileges --security-opt seccomp=$W/sec.json --user 1000:1000 --group-add 2000 -w /tmp --hostname hh -v $W/vol:/v:ro -v nv:/n --device $DEV:/dev/xx:r --sysctl net.ipv4.ip_forward=1 --shm-size 1m --init --ulimit nofile=100:200 --cgroup-parent /ecodk bb:1 sh -c "id -G; grep -E \"CapBnd|Sec|NoNew\" /proc/self/status; hostname; pwd; touch /x 2>/dev/null || echo ro; mkdir /t/q 2>/dev/null || echo sec; test -c /dev/xx && echo dev; grep -o ecodk /proc/self/cgroup | head -1; cat /proc/sys/net/ipv4/ip_forward; ulimit -n")
		has "1000 2000" "$out"; has "CapBnd:.0000000000002000" "$out"; has "NoNewPrivs:.1" "$out"; has "Seccomp:.2" "$out"; for x in hh /tmp ro sec dev ecodk 1 100; do has "^$x$" "$out"; done'
	ck 'privileged (asks for every capability, also those the caller lacks)' 'has mounted "$(dk run --rm $NN --privileged bb:1 sh -c "mount -t tmpfs t /mnt && echo mounted")"'
	ck 'bridge network and port (prestart hook)' 'dk run -d --name web -p 127.0.0.1:18082:80 bb:1 httpd -f -p 80 -h /www; until_ busybox wget -qO $W/page3 http://127.0.0.1:18082/; [ "$(cat $W/page3)" = page ]; has "inet 172\." "$(dk exec web ip -4 a)"; dk rm -f web'
	ck 'joined and host namespaces' 'dk run -d --name n1 $NN --ipc shareable bb:1 sleep 1000; has "sleep 1000" "$(dk run --rm --network container:n1 --pid container:n1 --ipc container:n1 bb:1 ps)"; dk rm -f n1; dk run --rm --network host --pid host --uts host bb:1 true'
	ck 'build' 'mkdir -p $W/db; printf "FROM bb:1\nRUN echo hi > /x\nRUN test \$(cat /x) = hi\n" > $W/db/Dockerfile; DOCKER_BUILDKIT=0 dk build --network none -q -t t:1 $W/db'
	ck 'restart policy, wait' 'dk run -d --name rp $NN --restart on-failure:2 bb:1 sh -c "exit 1"; until_ sh -c "[ \"\$($DK inspect -f {{.RestartCount}}{{.State.Status}} rp)\" = 2exited ]"; dk rm -f rp; dk run -d --name w1 $NN bb:1 sh -c "sleep 0.3; exit 9"; [ "$(dk wait w1)" = 9 ]; dk rm w1'
	ck 'all gone' '[ -z "$(dk ps -aq)" ]; [ -z "$(find /sys/fs/cgroup -type d \( -path "*/docker/*" -o -path "*/ecodk/*" \))" ]'
}

# ---------------------------------------------------------------- v1 controllers with cgroup2 beside them
s_hybrid() {
	SEC=hybrid; need podman conmon || return
	image_for pod
	ck 'run, limits, exec, pause; gone from every hierarchy' 'pod run -d --name c1 --network=none --memory 64m --pids-limit 50 $I sleep 1000; [ "$(pod exec c1 cat /sys/fs/cgroup/memory/memory.limit_in_bytes)" = 67108864 ]; p=$(pod inspect -f "{{.State.Pid}}" c1)
		has "pids:/libpod_parent/libpod-" "$(cat /proc/$p/cgroup)"; has "memory:/libpod_parent/libpod-" "$(cat /proc/$p/cgroup)"; pod pause c1; pod unpause c1; pod rm -f -t0 c1; [ -z "$(left libpod-)" ]'
	if need setpriv newuidmap; then image_for upod; ck 'rootless' '[ "$(upod run --rm --network=none $I echo hi)" = hi ]'; fi
}

# ---------------------------------------------------------------- cgroup2 only
s_cgroup2() {
	SEC=cgroup2; need podman conmon || return
	image_for pod
	ck 'run in its own cgroup, cgroupns' 'pod run -d --name c1 --network=none $I sh -c "n=0; while :; do n=\$((n+1)); echo \$n > /tmp/n; sleep 0.1; done"; has "^0::/libpod_parent/libpod-" "$(cat /proc/$(pod inspect -f "{{.State.Pid}}" c1)/cgroup | tail -1)"; [ "$(pod exec c1 tail -1 /proc/self/cgroup)" = 0::/ ]
		out=$(pod exec c1 grep " /sys/fs/cgroup " /proc/self/mountinfo); has " - cgroup2 " "$out"; has "ro," "$out"'
	ck 'exec is in the same cgroup' 'pod exec -d c1 sleep 333; p=$(pod inspect -f "{{.State.Pid}}" c1); d=/sys/fs/cgroup$(tail -1 /proc/$p/cgroup | cut -d: -f3); until_ sh -c "[ \$(cat $d/cgroup.procs $d/*/cgroup.procs 2>/dev/null | wc -l) -ge 2 ]"'
	ck 'pause, unpause' 'pod pause c1; m=$(pod inspect -f "{{.GraphDriver.Data.MergedDir}}" c1); a=$(cat $m/tmp/n); sleep 0.5; [ "$a" = "$(cat $m/tmp/n)" ]; pod unpause c1; till "[ $a != \$(cat $m/tmp/n) ]"'
	ck 'rm -f: cgroup gone' 'pod rm -f -t0 c1; [ -z "$(left libpod-)" ]'
	[ -n "${DEV:-}" ] && ck 'devices (eBPF): given read-only, others refused' '
		out=$(pod run --rm --network=none --cap-add mknod --device $DEV:/dev/xx:r $I sh -c "exec 3</dev/xx && echo read; (exec 4>/dev/xx) 2>/dev/null || echo nowrite; mknod /d c 10 61 && echo mk; (exec 5</d) 2>&1; echo x > /dev/null && echo null")
		has "^read" "$out"; has "^nowrite" "$out"; has "^mk" "$out"; has "not permitted" "$out"; has "^null" "$out"'
	if grep -qw memory /sys/fs/cgroup/cgroup.controllers; then ck 'limits' '[ "$(pod run --rm --network=none --memory 64m $I cat /sys/fs/cgroup/memory.max)" = 67108864 ]'; else skip limits 'no memory controller in cgroup2 here'; fi
	# no pod here: podman 4.3 with cgroupfs on cgroup2 puts a deny-all device program on a pod's cgroup
	ck 'cgroup-parent, cgroupns=host' 'has "0::/ecop/libpod-" "$(pod run --rm --network=none --cgroupns=host --cgroup-parent /ecop $I tail -1 /proc/self/cgroup)"'
	ck 'privileged' 'has mounted "$(pod run --rm --network=none --privileged $I sh -c "mount -t tmpfs t /mnt && echo mounted")"'
	if need setpriv newuidmap; then
		image_for upod
		ck 'rootless without a delegated cgroup' '[ "$(upod run --rm --network=none $I echo hi)" = hi ]; upod run -d --name r1 --network=none $I sleep 1000; upod exec r1 true; upod rm -f -t0 r1'
		mkdir -p /sys/fs/cgroup/deleg/s /sys/fs/cgroup/deleg/s2; chown -R 61234 /sys/fs/cgroup/deleg
		echo 'UCG=/sys/fs/cgroup/deleg/s' >> $W/lib.sh
		ck 'rootless in a delegated cgroup' '[ "$(upod run --rm --network=none $I echo hi)" = hi ]; upod run -d --name r2 --network=none --cgroups=split $I sleep 1000; upod exec r2 true; upod pause r2; upod unpause r2; upod rm -f -t0 r2'
	fi
	if need containerd ctr; then
		start_containerd
		ck 'ctr: run, metrics, pause, kill' 'ctr run -d --cpu-shares 0 $CR $I k1 sleep 1000; ctr task pause k1; has "k1 .*PAUSED" "$(ctr task ls)"; ctr task resume k1; [ $(ctr task ps k1 | wc -l) = 2 ]; ctr task kill -s KILL k1; until_ ctr_stopped; ctr task delete k1 || :; ctr c delete k1; [ -z "$(find /sys/fs/cgroup -type d -name k1)" ]'
	fi
}

# ---------------------------------------------------------------- the systemd cgroup driver
s_systemd() {
	SEC=systemd; need podman conmon busctl || return
	image_for pod
	sed -i 's/cgroup_manager = .*/cgroup_manager = "systemd"/' $W/containers.conf
	sed -i '1i CGM=systemd' $W/lib.sh
	until_ busctl --system status org.freedesktop.systemd1 > /dev/null 2>&1
	ck 'run in a scope of machine.slice' 'has "^0::/machine.slice/libpod-[0-9a-f]*\.scope" "$(pod run --rm --network=none --cgroupns host $I tail -1 /proc/self/cgroup)"; [ "$(pod run --rm --network=none --cgroupns private $I tail -1 /proc/self/cgroup)" = 0::/ ]'
	ck 'scope: Delegate, description, processes; exec in it; pause' 'pod run -d --name c1 --network=none $I sleep 1000; i=$(pod inspect -f "{{.Id}}" c1); out=$(systemctl show libpod-$i.scope); has "^Delegate=yes" "$out"; has "^Slice=machine.slice" "$out"; has "^ActiveState=active" "$out"
		pod exec c1 true; pod exec -d c1 sleep 99; p=$(pod inspect -f "{{.State.Pid}}" c1); pod pause c1; pod unpause c1; has "libpod-$i.scope" "$(cat /proc/$p/cgroup)"'
	ck 'rm -f: the scope is gone' 'i=$(pod inspect -f "{{.Id}}" c1); pod rm -f -t0 c1; until_ sh -c "! systemctl list-units --all --no-legend | grep -q libpod-$i.scope"; [ -z "$(find /sys/fs/cgroup -name "libpod-$i*" -type d | grep -v conmon)" ]'
	ck 'a pod is a slice' 'pod pod create --name p1 --network none; has "^0::/machine.slice/machine-libpod_pod_[0-9a-f]*.slice/libpod-[0-9a-f]*.scope" "$(pod run --rm --pod p1 --cgroupns host $I tail -1 /proc/self/cgroup)"; pod pod rm -f -t0 p1'
	ck 'a failed start leaves no scope' 'rc 127 pod run --rm --network=none $I /nonexist; until_ sh -c "! systemctl list-units --all --no-legend | grep \"libpod-[0-9a-f]*.scope\""'
	if need containerd ctr; then
		start_containerd
		ck 'ctr --runc-systemd-cgroup slice:prefix:name' 'ctr run -d --cpu-shares 0 $CR --runc-systemd-cgroup --cgroup system.slice:eco:k1 $I k1 sleep 1000; has "/system.slice/eco-k1.scope" "$(cat /proc/$(ctr task ls | awk "/^k1/{print \$2}")/cgroup)"; ctr task exec --exec-id e k1 true; ctr task kill -s KILL k1; until_ ctr_stopped; ctr task delete k1 || :; ctr c delete k1; until_ sh -c "! systemctl is-active -q eco-k1.scope"'
	fi
	if [ -e /usr/lib/systemd/user/dbus.socket ] && need setpriv newuidmap; then
		cat > /run/systemd/system/nookclients-user.service <<-X
		[Unit]
		DefaultDependencies=no
		[Service]
		User=61234
		Slice=user.slice
		Type=notify
		Delegate=yes
		Environment=XDG_RUNTIME_DIR=/run/user/61234 HOME=$W/home DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/61234/bus
		ExecStart=/lib/systemd/systemd --user --unit=dbus.service
		KillMode=mixed
		X
		systemctl daemon-reload; timeout 20 systemctl start nookclients-user.service
		if until_ test -S /run/user/61234/bus; then
			sed -i '1i UCGM=systemd UBUS=unix:path=/run/user/61234/bus UCG=/sys/fs/cgroup/user.slice/nookclients-user.service/init.scope' $W/lib.sh
			image_for upod
			ck 'rootless, in a scope of the user manager' 'upod run -d --name r1 --network=none $I sleep 1000; has "/user.slice/.*libpod-[0-9a-f]*.scope" "$(cat /proc/$(upod inspect -f "{{.State.Pid}}" r1)/cgroup)"; upod exec r1 true; upod pause r1; upod unpause r1; upod rm -f -t0 r1'
		else skip 'rootless, in a scope of the user manager' 'no user bus'; fi
	fi
}
s_nosystemd() { SEC=systemd; skip all 'no systemd or dbus-daemon'; }

case ${1:-} in
--init) shift; init "$@" ;;
--sections) shift; sections "$@" ;;
--sdmain) shift; while IFS= read -r -d '' e; do export "$e"; done < /run/w/env; exec > "$RES/init" 2>&1; umount /proc/sys; bash "$SELF" --sections "$@"; : > "$RES/done"; sleep 1000 ;;
*) outer "$@" ;;
esac
