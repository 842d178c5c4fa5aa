#!/bin/sh
# Makes the virtual environment $1 with Python 3.11: with the interpreter $2 if it is one, else by uv,
# which finds or fetches a Python of its own. An environment that is there and works is kept.
venv=$1
python=$2

is_311() {
    "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null
}

if is_311 "$venv/bin/python"; then
    exit 0
fi
if [ -n "$python" ] && is_311 "$python"; then
    exec "$python" -m venv --clear "$venv"
fi
if command -v uv >/dev/null 2>&1; then
    echo "No Python 3.11 on the path: uv provides it."
    # --seed: the Makefile installs with the environment's own pip.
    exec uv venv --quiet --clear --seed --python 3.11 "$venv"
fi
found="none was found"
if [ -n "$python" ]; then
    found="$python is $("$python" --version 2>&1)"
fi
cat >&2 <<EOF
Regrow needs Python 3.11, and $found.
Fix it in one of two ways:
  make PYTHON=/path/to/python3.11     with an interpreter that is installed elsewhere
  install uv, then repeat the command: make calls \`uv venv --python 3.11\`
EOF
exit 1
