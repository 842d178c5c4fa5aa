"""What a line that begins with a slash does in a talk."""

from __future__ import annotations

from regrow.cli.talk.talk import TEXT, Talk
from regrow.verifiers import tools

HELP = """\
/system [TEXT|none]    the system message (shows it without TEXT); starts a new chat
/tools [NAME…|all|none] describe tools in the system message; starts a new chat
/form [FORM]           text (continue it), plain (question), think, instruct; starts a new chat
/temperature [T]       0 is greedy
/seed [N]              of the draws: the same talk under the same seed gives the same answers
/tokens [N]            at most this many tokens per turn
/reset                 forget what was said
/quit                  (or end of input) ends"""
FORMS = (TEXT, "plain", "think", "instruct")


class Quit(Exception):
    """The talk is over."""


def command(talk: Talk, line: str) -> str:
    """Carry out a command; returns what to print.

    Raises:
        Quit: it was `/quit`.
    """
    name, _, rest = line[1:].strip().partition(" ")
    rest = rest.strip()
    if name in ("quit", "exit", "q"):
        raise Quit
    if name == "reset":
        talk.reset()
        return "forgotten"
    if name == "system":
        return _system(talk, rest)
    if name == "tools":
        return _tools(talk, rest)
    if name == "form":
        return _form(talk, rest)
    if name in ("temperature", "seed", "tokens"):
        return _number(talk, name, rest)
    return HELP if name in ("help", "h", "?", "") else f"no command /{name}\n{HELP}"


def _system(talk: Talk, text: str) -> str:
    if text:
        talk.system = None if text == "none" else text
        talk.reset()
    return f"system message: {talk.system or 'none'}"


def _tools(talk: Talk, text: str) -> str:
    if not text:
        return tools.describe(tools.TOOLS)
    names = list(tools.TOOLS) if text == "all" else text.replace(",", " ").split()
    if names == ["none"]:
        return _system(talk, "none")
    odd = [name for name in names if name not in tools.TOOLS]
    if odd:
        return f"no tool {odd[0]}; there are {', '.join(tools.TOOLS)}"
    return _system(talk, f"Tools:\n{tools.describe(names)}")


def _form(talk: Talk, text: str) -> str:
    if text and text not in FORMS:
        return f"no form {text}; there are {', '.join(FORMS)}"
    if text:
        talk.form = text
        talk.reset()
    return f"form: {talk.form}"


def _number(talk: Talk, name: str, text: str) -> str:
    attribute = {"tokens": "max_new_tokens"}.get(name, name)
    if text:
        try:
            value = float(text) if name == "temperature" else int(text)
        except ValueError:
            return f"/{name} wants a number, not {text}"
        if value < (1 if name == "tokens" else 0) or value != value or value == float("inf"):
            return f"/{name}: {text} is out of range"
        setattr(talk, attribute, value)
    return f"{name}: {getattr(talk, attribute):g}"
