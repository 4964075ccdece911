#!/usr/bin/env bash
# Runs every test and ends with one line, `N passed, N failed`. Stage times are METRIC lines.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
passed=0
failed=0
started=$SECONDS

# A stage: its name, then its command. Output is shown and kept for counting.
stage() {
    local name=$1 begin=$SECONDS
    shift
    echo
    echo "== $name"
    if ! "$@" 2>&1 | tee "$log/$name"; then
        echo "== $name failed"
        broken+=("$name")
    fi
    echo "METRIC ci.stage_s.$name $((SECONDS - begin)) - info"
}
broken=()

# Sums `key N` or `N key` figures of the runners we use.
count() { # pattern with one group, file
    grep -hoP "$1" "$2" 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'
}

stage build cargo test --locked --workspace --no-run --quiet
stage lint bash infra/check.sh
stage rust cargo test --locked --workspace --no-fail-fast -- --show-output
# Apart from each other and after the tests, which build the server with what only the simulation needs.
stage impair cargo build --locked --quiet -p simulation --bin impair
stage server cargo build --locked --quiet -p mortar
stage web bash -c 'cd web-client && npm run --silent test'
stage browser bash -c 'cd tests/browser && npm run --silent test'

for name in rust; do
    passed=$((passed + $(count '^test result: \w+\. \K\d+(?= passed)' "$log/$name")))
    failed=$((failed + $(count '^test result: .* \K\d+(?= failed)' "$log/$name")))
done
plain() { sed -E 's/\x1b\[[0-9;]*m//g' "$log/$1" >"$log/$1.plain" 2>/dev/null || true; }
plain web
plain browser
passed=$((passed + $(count '^ *Tests .*?\K\d+(?= passed)' "$log/web.plain")))
failed=$((failed + $(count '^ *Tests .*?\K\d+(?= failed)' "$log/web.plain")))
for name in web browser; do
    passed=$((passed + $(count '^(?:#|ℹ) pass \K\d+' "$log/$name.plain")))
    failed=$((failed + $(count '^(?:#|ℹ) fail \K\d+' "$log/$name.plain")))
done

echo
echo "== figures"
cat "$log"/rust "$log"/web "$log"/browser 2>/dev/null | grep -h '^METRIC' | sort -u
echo "METRIC ci.total_s $((SECONDS - started)) <=1500 info"
if grep -qhE '^METRIC .* fail( |$)' "$log"/rust "$log"/web "$log"/browser 2>/dev/null; then
    broken+=(figures)
fi
if ((${#broken[@]})); then
    echo "Stages that failed: ${broken[*]}"
    # A stage that broke without a runner that counts is a failure of its own.
    for name in "${broken[@]}"; do
        case $name in
        rust | web | browser) ((failed)) || failed=1 ;;
        *) failed=$((failed + 1)) ;;
        esac
    done
fi
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
