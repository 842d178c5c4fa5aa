"""What a line that begins with a slash does in a chat."""

from __future__ import annotations

from regrow.cli.chat.session import TEXT, Session
from regrow.learn.verifiers import tools

HELP = """\
/system [TEXT|none]    the system message (shows it without TEXT); starts a new chat
/tools [NAME…|all|none] describe tools in the system message; starts a new chat
/form [FORM]           text (continue it), plain (question), think, instruct; starts a new chat
/temperature [T]       0 is greedy
/seed [N]              of the draws: the same chat under the same seed gives the same answers
/tokens [N]            at most this many tokens per turn
/reset                 forget what was said
/quit                  (or end of input) ends"""
FORMS = (TEXT, "plain", "think", "instruct")


class Quit(Exception):
    """The chat is over."""


def command(session: Session, line: str) -> str:
    """Carry out a command; returns what to print.

    Raises:
        Quit: it was `/quit`.
    """
    name, _, rest = line[1:].strip().partition(" ")
    rest = rest.strip()
    if name in ("quit", "exit", "q"):
        raise Quit
    if name == "reset":
        session.reset()
        return "forgotten"
    if name == "system":
        return _system(session, rest)
    if name == "tools":
        return _tools(session, rest)
    if name == "form":
        return _form(session, rest)
    if name in ("temperature", "seed", "tokens"):
        return _number(session, name, rest)
    return HELP if name in ("help", "h", "?", "") else f"no command /{name}\n{HELP}"


def _system(session: Session, text: str) -> str:
    if text:
        session.system = None if text == "none" else text
        session.reset()
    return f"system message: {session.system or 'none'}"


def _tools(session: Session, text: str) -> str:
    if not text:
        return tools.describe(tools.TOOLS)
    names = list(tools.TOOLS) if text == "all" else text.replace(",", " ").split()
    if names == ["none"]:
        return _system(session, "none")
    odd = [name for name in names if name not in tools.TOOLS]
    if odd:
        return f"no tool {odd[0]}; there are {', '.join(tools.TOOLS)}"
    return _system(session, f"Tools:\n{tools.describe(names)}")


def _form(session: Session, text: str) -> str:
    if text and text not in FORMS:
        return f"no form {text}; there are {', '.join(FORMS)}"
    if text:
        session.form = text
        session.reset()
    return f"form: {session.form}"


def _number(session: Session, name: str, text: str) -> str:
    attribute = {"tokens": "max_new_tokens"}.get(name, name)
    if text:
        try:
            value = float(text) if name == "temperature" else int(text)
        except ValueError:
            return f"/{name} wants a number, not {text}"
        if value < (1 if name == "tokens" else 0) or value != value or value == float("inf"):
            return f"/{name}: {text} is out of range"
        setattr(session, attribute, value)
    return f"{name}: {getattr(session, attribute):g}"
