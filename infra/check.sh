#!/usr/bin/env bash
# What review would say first. Every line here is a rule that a machine can hold.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --all --check
cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
if command -v cargo-deny >/dev/null 2>&1; then
    cargo deny --offline check bans licenses sources
else
    echo "cargo-deny is not installed: bans and licences of deny.toml were not checked (cargo install cargo-deny --locked)."
fi
(cd web-client && npm run --silent check)
