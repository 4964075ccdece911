#!/usr/bin/env bash
# Looks for what Mortar needs and installs what is missing, saying what and why. `setup.sh run` or `setup.sh test`.
set -euo pipefail

purpose=${1:-run}
missing=()

need() { # command, Debian package, reason
    if ! command -v "$1" >/dev/null 2>&1; then
        echo "Missing: $1. Installing the Debian package $2: $3."
        missing+=("$2")
    fi
}

stop() {
    echo "make $purpose stopped: $1" >&2
    exit 1
}

command -v cargo >/dev/null 2>&1 || stop "cargo is missing. Install Rust 1.95 or newer (rustup.rs), then run make $purpose again."
rust=$(rustc --version | sed -E 's/^rustc ([0-9]+)\.([0-9]+).*/\1 \2/')
read -r major minor <<<"$rust"
((major > 1 || minor >= 95)) || stop "Rust $major.$minor is too old: 1.95 or newer is needed. Run: rustup update stable"

command -v node >/dev/null 2>&1 || stop "node is missing. Install Node 20.19 or newer, then run make $purpose again."
node -e 'const [a,b]=process.versions.node.split(".").map(Number); process.exit((a===20&&b>=19)||(a===22&&b>=12)||a>=24?0:1)' ||
    stop "Node $(node --version) will not build the web client: 20.19+, 22.12+ or 24+ is needed."

if [ "$purpose" = test ]; then
    for part in fmt clippy; do
        cargo "$part" --version >/dev/null 2>&1 || {
            echo "Missing: cargo $part. Installing this part of Rust with rustup: make test checks form and lints."
            rustup component add "$([ "$part" = fmt ] && echo rustfmt || echo clippy)" || stop "cargo $part is missing. Install it, then run make test again."
        }
    done
fi

need cc build-essential "a C compiler links the server and builds SQLite and the cryptography"
need npm npm "fetches the web client's packages"
if [ "$purpose" = test ]; then
    need chromium chromium "the browser tests run in a real browser"
    need pdftoppm poppler-utils "a browser test looks at a printed page as a fax machine does"
    if ! fc-list 2>/dev/null | grep -q .; then
        echo "Missing: fonts. Installing the Debian package fonts-liberation: pages in the browser tests need letters."
        missing+=(fonts-liberation)
    fi
fi

if ((${#missing[@]})); then
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || stop "please install as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    command -v apt-get >/dev/null 2>&1 || stop "please install with your package manager: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        stop "apt-get could not install: ${missing[*]}. Install them by hand, then run make $purpose again."
fi
