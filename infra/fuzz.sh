#!/usr/bin/env bash
# LLVM's fuzzer on each target of tests/fuzz, or on those named, for TIME seconds each. What breaks one is kept in
# tests/fuzz/found/TARGET, which the tests replay from then on. Without the address sanitizer, so that the stable compiler
# builds it: nothing we fuzz holds unsafe code.
set -euo pipefail
cd "$(dirname "$0")/.."

time=${TIME:-30}
target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/fuzz-work
triple=$(rustc -vV | sed -n 's/^host: //p')

cargo build --locked --quiet -p fuzz
plain=$target/debug/fuzz
names=("$@")
((${#names[@]})) || read -ra names <<<"$("$plain")"

RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-sanitizer-coverage-stack-depth \
-Cdebug-assertions -Coverflow-checks" \
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    cargo build --locked --release --quiet -p fuzz --target "$triple" --target-dir "$target/fuzz-build"
fuzzer=$target/fuzz-build/$triple/release/fuzz

broken=()
for name in "${names[@]}"; do
    corpus=$work/$name
    mkdir -p "$corpus" "tests/fuzz/found/$name"
    "$plain" seeds "$name" "$corpus"
    echo "== $name"
    # An input slower than 2 s or larger than 512 MiB in memory is a fault too.
    FUZZ_TARGET=$name "$fuzzer" -max_total_time="$time" -max_len=8192 -timeout=2 -rss_limit_mb=512 -print_final_stats=1 \
        -artifact_prefix="tests/fuzz/found/$name/" "$corpus" "tests/fuzz/found/$name" 2>&1 |
        tee "$work/$name.log" | grep -E 'ERROR|panicked|^stat::(number_of|new_units|peak)|Test unit' ||
        true
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")
    echo "METRIC fuzz.executions.$name ${executed:-0} - info"
    if grep -qE 'ERROR: libFuzzer|panicked' "$work/$name.log"; then broken+=("$name"); fi
    rmdir --ignore-fail-on-non-empty "tests/fuzz/found/$name"
done
rmdir --ignore-fail-on-non-empty tests/fuzz/found 2>/dev/null || true
if ((${#broken[@]})); then
    echo "broken: ${broken[*]}; the inputs are in tests/fuzz/found"
    exit 1
fi
