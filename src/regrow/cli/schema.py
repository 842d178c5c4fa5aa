"""The JSON Schema of a params file, for editors, or what is known of one field.

Examples:
  regrow schema > params/schema.json
  regrow schema pretrain
  regrow schema pretrain.optimizer.clip
"""

from __future__ import annotations

import argparse
import json
from typing import Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("field", nargs="?", help="a stage or a field: `mix`, `mix.cutoff`")
    parser.add_argument("--json", action="store_true", help="of a field: its schema as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the schema or the description."""
    from regrow.params.schema import json_schema

    schema = json_schema()
    if args.field is None:
        print(json.dumps(schema, indent=2))
        return 0
    found = _at(schema, args.field)
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    _show(args.field, found)
    for name, item in _entry(found).get("properties", {}).items():
        _show(f"{args.field}.{name}", _resolved(schema, item))
    return 0


def _entry(found: dict[str, Any]) -> dict[str, Any]:
    """What has the fields: of a list of named entries, what follows a name."""
    forms = found.get("items", {}).get("anyOf", [{}]) if found.get("type") == "array" else []
    for form in forms:
        if isinstance(form.get("additionalProperties"), dict):
            inner: dict[str, Any] = form["additionalProperties"]
            return inner
    return found


def _resolved(schema: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    target = item.get("$ref") or next((r["$ref"] for r in item.get("allOf", []) if "$ref" in r), "")
    if not target:
        return item
    rest = {key: value for key, value in item.items() if key not in ("$ref", "allOf")}
    return {**schema["$defs"][target.rpartition("/")[2]], **rest}


def _at(schema: dict[str, Any], field: str) -> dict[str, Any]:
    from regrow.engine.errors import FlowError

    found = schema
    done: list[str] = []
    for part in field.split("."):
        have = _entry(found).get("properties", {})
        if part not in have:
            where = ".".join(done) or "the params"
            raise FlowError(f"{where} has no field `{part}`. Fields: {', '.join(have) or 'none'}.")
        found = _resolved(schema, have[part])
        done.append(part)
    return found


_BOUNDS = {
    "minimum": ">=",
    "exclusiveMinimum": ">",
    "maximum": "<=",
    "exclusiveMaximum": "<",
    "multipleOf": "a multiple of",
}


def _show(name: str, item: dict[str, Any]) -> None:
    facts = [str(item.get("type") or "/".join(str(o.get("type")) for o in item.get("anyOf", [])))]
    if "enum" in item:
        facts = ["one of " + ", ".join(map(str, item["enum"]))]
    facts += [f"{sign} {item[bound]}" for bound, sign in _BOUNDS.items() if bound in item]
    if "default" in item and item.get("type") != "object":
        facts.append(f"default {json.dumps(item['default'])}")
    text = " ".join(str(item.get("description", "")).split())
    print(f"{name}: {', '.join(facts)}" + (f"\n    {text}" if text else ""))
