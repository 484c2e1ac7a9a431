# Sourced by the scripts that check something: they run their steps through these functions, which count what passed, and
# end with finish(), which prints a table and, as the last line, "N passed, N failed, N skipped".
set -u
exec </dev/null
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# record NAME PASSED FAILED SKIPPED SECONDS
record() {
  printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$results/table"
}

# check NAME COMMAND...: one check, which passes if the command exits with 0.
check() {
  local name=$1 start=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  if "$@"; then
    record "$name" 1 0 0 $((SECONDS - start))
  else
    record "$name" 0 1 0 $((SECONDS - start))
    return 1
  fi
}

# counted NAME COMMAND...: many checks; the command's last line is "N passed, N failed, N skipped".
counted() {
  local name=$1 start=$SECONDS status passed=0 failed=0 skipped=0
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$results/output"
  status=${PIPESTATUS[0]}
  grep '^skipped: ' "$results/output" >>"$results/skipped"
  if [[ $(tail -n 1 "$results/output") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]} skipped=${BASH_REMATCH[3]}
  else
    status=1
  fi
  if ((status != 0 && failed == 0)) || ((passed + failed + skipped == 0)); then
    failed=1
  fi
  record "$name" "$passed" "$failed" "$skipped" $((SECONDS - start))
}

# skipped NAME REASON: a check that this machine can't make.
skipped() {
  printf 'skipped: %s: %s\n' "$1" "$2" >>"$results/skipped"
  record "$1" 0 0 1 0
}

# build PRESET: configures and builds it; quiet but for warnings and errors.
build() {
  cmake --preset "$1" --log-level=WARNING >"$results/configure" || { cat "$results/configure"; return 1; }
  cmake --build --preset "$1" -- --quiet
}

# build_and_test PRESET: a check for the build, then one row for each test program with its number of cases.
build_and_test() {
  check "build $1" build "$1" || return
  printf '\n== tests of %s\n' "$1"
  rm -f "build/$1/junit.xml"
  ctest --preset "$1" >"$results/ctest" || cat "$results/ctest"
  tally "$1" "build/$1/junit.xml"
}

# tally LABEL JUNIT_FILE: takes over the counts of a run of ctest or Meson.
tally() {
  if ! tools/tally "$1" "$2" "$results/table" "$results/skipped"; then
    record "$1: no readable results" 0 1 0 0
  fi
}

# finish: the table, what was skipped, the total; exits with 0 only if nothing failed and something passed.
finish() {
  touch "$results/skipped"
  printf '\n'
  sort -u "$results/skipped"
  awk -F '\t' '
    BEGIN { printf "%-34s %7s %7s %7s %8s\n", "", "passed", "failed", "skipped", "seconds" }
    { printf "%-34s %7d %7d %7d %8.0f\n", $1, $2, $3, $4, $5; passed += $2; failed += $3; skipped += $4 }
    END {
      printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
      exit failed > 0 || passed == 0
    }' "$results/table"
  exit
}
