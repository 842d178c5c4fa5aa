"""The language of a file of source code, by its name, its first line and, for three endings, its content.

Names and endings are those of GitHub linguist (github-linguist/linguist, lib/linguist/languages.yml); for `.h`, `.m`
and `.v` its heuristics, shortened (heuristics.yml).
"""

from __future__ import annotations

import re

_ENDINGS = """
ABAP: abap
Ada: adb ads ada
Agda: agda
Apex: apex
Assembly: asm s nasm
AutoHotkey: ahk
Awk: awk
Ballerina: bal
Batchfile: bat cmd
C: c
C#: cs csx
C++: cpp cc cxx c++ hpp hh hxx h++ inl ipp tpp
CMake: cmake
COBOL: cob cbl cobol
CSS: css
Clojure: clj cljs cljc edn
CoffeeScript: coffee
Common Lisp: lisp lsp cl
Crystal: cr
Cuda: cu cuh
Cython: pyx pxd pxi
D: d di
Dart: dart
Elixir: ex exs
Elm: elm
Emacs Lisp: el
Erlang: erl hrl
F#: fs fsi fsx
Forth: fth 4th
Fortran: f f77 for fpp
Fortran Free Form: f90 f95 f03 f08
GDScript: gd
GLSL: glsl vert frag geom comp
Gleam: gleam
Go: go
GraphQL: graphql gql
Groovy: groovy gradle gvy
HCL: hcl tf tfvars
HLSL: hlsl
Haskell: hs lhs
Haxe: hx
Idris: idr
Java: java
JavaScript: js mjs cjs jsx
Julia: jl
Kotlin: kt kts
Less: less
Lean: lean
Lua: lua
M4: m4
MATLAB: mlx
Makefile: mk mak make
Meson: meson
Nim: nim nims
Nix: nix
OCaml: ml mli mll mly
Objective-C++: mm
Octave: oct
PHP: php php3 php4 php5 phtml
PLSQL: pls plsql
Pascal: pas pp dpr
Perl: pl pm t plx
PowerShell: ps1 psm1 psd1
Prolog: pro prolog
Protocol Buffer: proto
PureScript: purs
Python: py pyi pyw
QML: qml
R: r
Racket: rkt
Raku: raku rakumod p6
ReScript: res resi
Ruby: rb rake gemspec ru
Rust: rs
SAS: sas
SCSS: scss
SQL: sql
Sass: sass
Scala: scala sc
Scheme: scm ss sld
Shell: sh bash zsh ksh
Smalltalk: st
Solidity: sol
Standard ML: sml sig fun
Starlark: bzl star
Stata: do ado
Svelte: svelte
Swift: swift
SystemVerilog: sv svh
Tcl: tcl tk
Thrift: thrift
TypeScript: ts mts cts tsx
VBA: bas
VHDL: vhd vhdl
Vala: vala vapi
Vim Script: vim
Visual Basic .NET: vb
Vue: vue
WGSL: wgsl
WebAssembly: wat wast
Wolfram Language: wl wls
Zig: zig
fish: fish
jq: jq
"""
_NAMES = {
    "makefile": "Makefile", "gnumakefile": "Makefile", "dockerfile": "Dockerfile", "containerfile": "Dockerfile",
    "cmakelists.txt": "CMake", "meson.build": "Meson", "rakefile": "Ruby", "gemfile": "Ruby", "vagrantfile": "Ruby",
    "jenkinsfile": "Groovy", "build.bazel": "Starlark", "snakefile": "Python", "sconstruct": "Python",
    "sconscript": "Python", "wscript": "Python", "justfile": "Just", ".bashrc": "Shell", ".vimrc": "Vim Script",
}  # fmt: skip
_SHELLS = {
    "sh": "Shell", "bash": "Shell", "dash": "Shell", "zsh": "Shell", "ksh": "Shell", "fish": "fish", "python": "Python",
    "pypy": "Python", "perl": "Perl", "ruby": "Ruby", "node": "JavaScript", "deno": "TypeScript", "php": "PHP", "lua": "Lua",
    "rscript": "R", "tclsh": "Tcl", "wish": "Tcl", "awk": "Awk", "gawk": "Awk", "make": "Makefile", "julia": "Julia",
    "guile": "Scheme", "racket": "Racket", "escript": "Erlang", "groovy": "Groovy", "osascript": "AppleScript",
    "pwsh": "PowerShell", "runhaskell": "Haskell", "sed": "sed",
}  # fmt: skip
_BY_ENDING = {
    f".{ending}": language
    for line in _ENDINGS.split("\n")
    if line
    for language, _, endings in [line.partition(": ")]
    for ending in endings.split()
}
_UNSURE = (".h", ".m", ".v")
ENDINGS = (*sorted(_BY_ENDING), *_UNSURE)
NAMES = tuple(sorted(_NAMES))

_SHEBANG = re.compile(r"#![ \t]*(?:\S*/)?(\S+)(?:[ \t]+(.*))?")
_CPP = re.compile(
    r"^[ \t]*#[ \t]*include <(?:cstdint|string|vector|map|list|iostream|memory|utility|algorithm)>"
    r"|^[ \t]*template[ \t]*<|^[ \t]*class[ \t]+\w+|^[ \t]*(?:private|public|protected):|\bstd::\w+|^[ \t]*namespace\b",
    re.MULTILINE,
)
_OBJECTIVE = re.compile(
    r"^[ \t]*(?:@(?:interface|class|protocol|property|end|implementation|import)\b|#import\s+[<\"])",
    re.MULTILINE,
)
_COQ = re.compile(r"(?:^|\s)(?:Proof|Qed|Lemma|Theorem|Inductive|Fixpoint)\b", re.MULTILINE)


def by_name(name: str) -> str:
    """The language that a file's name or ending stands for; "" for none, or one of several."""
    last = name.rpartition("/")[2].lower()
    if last in _NAMES:
        return _NAMES[last]
    if last.startswith(("dockerfile.", "makefile.")):
        return _NAMES[last.partition(".")[0]]
    return _BY_ENDING.get(_ending(last), "")


def language(name: str, text: str) -> str:
    """The language of a file; "" where nothing says it."""
    if found := by_name(name):
        return found
    head = text[:65_536]
    ending = _ending(name.lower())
    if ending == ".h":
        if _OBJECTIVE.search(head):
            return "Objective-C"
        return "C++" if _CPP.search(head) else "C"
    if ending == ".m":
        return "Objective-C" if _OBJECTIVE.search(head) else "MATLAB"
    if ending == ".v":
        return "Rocq Prover" if _COQ.search(head) else "Verilog"
    return _by_shebang(text.partition("\n")[0][:256])


def _ending(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:] if dot > name.rfind("/") + 1 else ""


def _by_shebang(line: str) -> str:
    """Of `#!/usr/bin/env -S python3 -u` it is python that counts."""
    found = _SHEBANG.match(line)
    if found is None:
        return ""
    program, words = found[1], (found[2] or "").split()
    if program == "env":
        program = next((w for w in words if not w.startswith("-") and "=" not in w), "")
    program = program.rpartition("/")[2].lower()
    return _SHELLS.get(program) or _SHELLS.get(program.rstrip("0123456789.-"), "")
