# What the machine needs before anything can be built. Sourced by ./run and ./test from the repository's root.

debian_packages=(
    libpq-dev libhiredis-dev libcurl4-openssl-dev libsecp256k1-dev libbotan-2-dev libcrack2-dev cracklib-runtime
    pkg-config postgresql-15 postgresql-client-15 redis-server util-linux python3-venv ca-certificates
    curl openssl git
)
swift_minimum=6.3

say() { printf '%(%H:%M:%S)T  %s\n' -1 "$*"; }
fail() { printf '%(%H:%M:%S)T  %s\n' -1 "$*" >&2; exit 1; }

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

missing_packages() {
    local package
    for package in "${debian_packages[@]}"; do
        local status
        status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || true
        [[ $status == installed ]] || echo "$package"
    done
}

# Debian starts a server as soon as its package is there, and makes a cluster for it. Ours are our own: while the
# packages are installed, both are told not to. What the machine's owner has decided about it stays as it is.
servers_kept_off=()
keep_servers_off() {
    local policy=/usr/sbin/policy-rc.d clusters=/etc/postgresql-common/createcluster.d/diboas.conf
    if [[ ! -e $policy ]]; then
        servers_kept_off+=("$policy")
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    if [[ ! -e $clusters ]]; then
        servers_kept_off+=("$clusters")
        as_root mkdir -p "${clusters%/*}"
        echo 'create_main_cluster = false' | as_root tee "$clusters" >/dev/null
    fi
}
release_servers() {
    ((${#servers_kept_off[@]} == 0)) || as_root rm -f "${servers_kept_off[@]}"
    servers_kept_off=()
}

install_packages() {
    command -v dpkg-query >/dev/null || fail "No Debian, no ./run. By hand: ${debian_packages[*]}"
    local missing
    mapfile -t missing < <(missing_packages)
    if ((${#missing[@]} == 0)); then
        say "all Debian packages are there"
        return
    fi
    say "installing Debian packages: ${missing[*]}"
    with_apt "${missing[@]}"
}

# with_apt ARGUMENTS: apt-get install, with no server of Debian's started by it.
with_apt() {
    as_root true || fail "That takes root: run it as root or with sudo, or as root: apt-get install $*"
    trap release_servers EXIT
    keep_servers_off
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    as_root "${apt[@]}" update || say "no new package lists; trying with those that are here"
    as_root "${apt[@]}" install --yes --no-install-recommends "$@" ||
        fail "The packages could not be installed; what apt-get says above tells why."
    release_servers
    trap - EXIT
}

# Installed packages that docs/advisories.json knows a fault of, which newer ones of Debian mend.
faulty_packages() {
    local source fixed name has package status
    while read -r source fixed; do
        while read -r name has package status; do
            [[ $name == "$source" && $status == installed ]] || continue
            ! dpkg --compare-versions "$has" lt "$fixed" || echo "$package"
        done < <(dpkg-query --show \
            --showformat='${source:Package} ${source:Version} ${binary:Package} ${db:Status-Status}\n')
    done < <(sed -n 's/.*"in": "debian", "package": "\([^"]*\)", "fixed": "\([^"]*\)".*/\1 \2/p' docs/advisories.json)
}

upgrade_faulty_packages() {
    local faulty
    mapfile -t faulty < <(faulty_packages | sort --unique)
    ((${#faulty[@]} > 0)) || return 0
    say "upgrading Debian packages that have known faults: ${faulty[*]}"
    with_apt --only-upgrade "${faulty[@]}"
}

check_swift() {
    local where="Install Swift $swift_minimum from https://www.swift.org/install/linux/ and put it on the PATH."
    command -v swift >/dev/null || fail "There is no swift. $where"
    local found
    local said
    said=$(swift --version 2>&1) || true
    found=$(sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' <<<"$said" | head -n 1)
    [[ -n $found ]] || fail "swift --version does not say a version but: $said. $where"
    [[ $(printf '%s\n' "$swift_minimum" "$found" | sort --version-sort | head -n 1) == "$swift_minimum" ]] ||
        fail "swift is $found, $swift_minimum is needed. $where"
    say "swift $found"
}

# The local chains of Tests/DevChains run in an environment of their own, .build/chains/bin/python.
install_chains() {
    local home=$PWD/.build/chains python=/usr/bin/python3 list=Tests/DevChains/requirements.txt
    [[ -x $python ]] || python=python3
    # The path belongs to it: a virtual environment does not survive being moved.
    local wanted="$home $(cat "$list")"
    if [[ $(cat "$home/complete" 2>/dev/null) == "$wanted" ]]; then
        say "the local chains are there"
        return
    fi
    say "installing the local chains into .build/chains"
    "$python" -m venv --clear "$home" &&
        "$home/bin/python" -m pip install --disable-pip-version-check --quiet --requirement "$list" ||
        { say "The local chains could not be installed; what pip says above tells why."; return 1; }
    echo "$wanted" >"$home/complete"
}
