# Sourced by ./run and ./test: makes .venv from the hash-pinned locks. Resumes a half-finished set-up; says what it waits for.
# usage: . tools/setup.sh; setup LOCK...
say() { printf '%s\n' "$*" >&2; }

find_python() {
  for candidate in "${PYTHON:-}" python3.11 python3 python3.12 python3.13 python3.14; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      printf '%s' "$candidate"
      return 0
    fi
  done
  say "hotline needs Python 3.11 or newer with its venv module."
  say "Install it (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python) or name it: PYTHON=/path/to/python3 ./run"
  return 1
}

# A stamp holds the checksum of the lock it stands for; written last, so an interrupted set-up is taken up again.
stamped() { [ -f ".venv/.$1.stamp" ] && [ "$(cat ".venv/.$1.stamp")" = "$2" ]; }

setup() {
  if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    python=$(find_python) || return 1
    say "hotline: making a virtual environment with $("$python" --version 2>&1)"
    rm -rf .venv
    "$python" -m venv .venv || return 1
  fi
  for lock in "$@"; do
    sum=$(.venv/bin/python -c 'import hashlib, sys; print(hashlib.sha256(b"".join(open(f, "rb").read() for f in sys.argv[1:])).hexdigest())' "$lock" pyproject.toml) || return 1
    stamped "$lock" "$sum" && continue
    if [ ! -x .venv/bin/uv ]; then
      say "hotline: fetching the installer"
      .venv/bin/python -m pip install --quiet --disable-pip-version-check uv || return 1
    fi
    say "hotline: installing $(grep -c '==' "$lock") pinned packages of $lock (a minute or two the first time)"
    .venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r "$lock" || {
      say "hotline: the packages of $lock could not be installed; the lines above say why. Nothing is lost: run the same command again."
      return 1
    }
    printf '%s' "$sum" >".venv/.$lock.stamp"
  done
  if [ ! -x .venv/bin/hotline ] || ! stamped hotline "$sum"; then
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e . || return 1
    .venv/bin/python -m compileall -q numbering telephony crm tickets transcription storage screenpop hotline || return 1
    printf '%s' "$sum" >.venv/.hotline.stamp
  fi
}
