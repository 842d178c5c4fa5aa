"""The chat template for `transformers`' apply_chat_template, as tokenizer_config.json carries it.

It renders what `regrow.data.tokens.chat` renders and raises where that raises
(`regrow.data.tokens.messages` is the same reading in Python). What an assistant writes stands between
`generation` marks, so that `return_assistant_tokens_mask` gives what is learned.
"""

from __future__ import annotations

JINJA = """\
{%- macro name(value) -%}
{%- if value is not string or not value.isidentifier() or not value.isascii() or value | length > 64 or value in ['True', 'False', 'None'] -%}
{{- raise_exception('a tool or an argument cannot be called so: ' ~ value) -}}
{%- endif -%}
{{- value -}}
{%- endmacro -%}
{%- macro scalar(value) -%}
{%- if value is none -%}None
{%- elif value is boolean -%}{{- 'True' if value else 'False' -}}
{%- elif value is string -%}{{- value | tojson -}}
{%- elif value is integer -%}{{- value -}}
{%- else -%}
{{- raise_exception('an argument is a whole number, text, True, False, None or a flat list of these') -}}
{%- endif -%}
{%- endmacro -%}
{%- macro argument(value) -%}
{%- if value is sequence and value is not string and value is not mapping -%}
{{- '[' -}}{%- for item in value -%}{{- scalar(item) -}}{%- if not loop.last -%}{{- ', ' -}}{%- endif -%}{%- endfor -%}{{- ']' -}}
{%- else -%}
{{- scalar(value) -}}
{%- endif -%}
{%- endmacro -%}
{%- macro called(call) -%}
{%- if call is string -%}
{{- call | trim -}}
{%- else -%}
{%- set function = call.get('function', call) if call is mapping else none -%}
{%- if function is not mapping or function.get('arguments') is not mapping -%}
{{- raise_exception("a call is text such as 'add(a=1)', or a mapping with name and arguments (a mapping)") -}}
{%- endif -%}
{{- name(function.get('name')) -}}{{- '(' -}}
{%- for key in function['arguments'] -%}
{{- name(key) -}}{{- '=' -}}{{- argument(function['arguments'][key]) -}}{%- if not loop.last -%}{{- ', ' -}}{%- endif -%}
{%- endfor -%}
{{- ')' -}}
{%- endif -%}
{%- endmacro -%}
{%- macro said(content) -%}
{%- if content is none or content is undefined -%}
{%- elif content is string -%}
{{- content | trim -}}
{%- elif content is sequence and content is not mapping -%}
{%- set parts = namespace(text='') -%}
{%- for part in content -%}
{%- if part is not mapping or part.get('type') != 'text' or part.get('text') is not string -%}
{{- raise_exception('content must be a text, or a list of parts of type text') -}}
{%- endif -%}
{%- set parts.text = parts.text ~ part['text'] -%}
{%- endfor -%}
{{- parts.text | trim -}}
{%- else -%}
{{- raise_exception('content must be a text, or a list of parts of type text') -}}
{%- endif -%}
{%- endmacro -%}
{%- macro described(tool) -%}
{%- set function = tool.get('function', tool) if tool is mapping else none -%}
{%- if function is not mapping -%}
{{- raise_exception('a tool is a mapping with name, description and parameters') -}}
{%- endif -%}
{%- set kinds = {'integer': 'int', 'string': 'str', 'array': 'list', 'boolean': 'bool'} -%}
{%- set properties = (function.get('parameters') or {}).get('properties') or {} -%}
{{- name(function.get('name')) -}}{{- '(' -}}
{%- for key in properties -%}
{%- set kind = properties[key].get('type') -%}
{%- if kind is not string -%}
{{- raise_exception("a tool's parameter has one type, by name") -}}
{%- endif -%}
{{- name(key) -}}{{- ': ' -}}{{- kinds.get(kind, kind) -}}{%- if not loop.last -%}{{- ', ' -}}{%- endif -%}
{%- endfor -%}
{{- ')' -}}
{%- set description = function.get('description') -%}
{%- if description is not none and description is not string -%}
{{- raise_exception("a tool's description must be a text") -}}
{%- endif -%}
{%- if description and description | trim -%}{{- ': ' -}}{{- description | trim -}}{%- endif -%}
{%- endmacro -%}
{%- if documents -%}
{{- raise_exception('this template has no place for documents') -}}
{%- endif -%}
{%- set extra = namespace(text='') -%}
{%- if tools -%}
{%- set extra.text = 'Tools:' -%}
{%- for tool in tools -%}
{%- set extra.text = extra.text ~ '\\n' ~ described(tool) -%}
{%- endfor -%}
{%- if not messages or messages[0].get('role') != 'system' -%}
{{- '<|system|> ' -}}{{- extra.text -}}
{%- endif -%}
{%- endif -%}
{%- for message in messages -%}
{%- set role = message.get('role') -%}
{%- if role not in ['system', 'user', 'assistant', 'tool'] -%}
{{- raise_exception('role is ' ~ role ~ '; it is one of system, user, assistant, tool') -}}
{%- endif -%}
{%- set calls = message.get('tool_calls') or [] -%}
{%- set think = message.get('reasoning_content') or '' -%}
{%- set content = said(message.get('content')) -%}
{%- if calls and (role != 'assistant' or calls is string or calls is mapping or calls is not sequence) -%}
{{- raise_exception("tool_calls must be a list of the assistant's calls") -}}
{%- endif -%}
{%- if think and (role != 'assistant' or think is not string) -%}
{{- raise_exception("reasoning_content must be a text of the assistant's") -}}
{%- endif -%}
{%- if calls and content -%}
{{- raise_exception("an assistant's message has content beside tool_calls; it is one or other") -}}
{%- endif -%}
{%- if loop.first and role == 'system' and extra.text -%}
{%- set content = content ~ '\\n\\n' ~ extra.text if content else extra.text -%}
{%- endif -%}
{%- if not calls and not content -%}
{{- raise_exception('a message of role ' ~ role ~ ' says nothing') -}}
{%- endif -%}
{%- if role == 'assistant' -%}
{{- '<|assistant|>' -}}
{%- generation -%}
{%- if think -%}
{{- '<think> ' -}}{{- think | trim -}}{{- '</think>' -}}
{%- endif -%}
{%- for call in calls -%}
{{- '<tool_call> ' -}}{{- called(call) -}}{{- '</tool_call>' -}}
{%- endfor -%}
{%- if not calls -%}
{{- ' ' -}}{{- content -}}
{%- endif -%}
{{- '<|end|>' -}}
{%- endgeneration -%}
{%- else -%}
{{- '<|' -}}{{- role -}}{{- '|> ' -}}{{- content -}}
{%- if role == 'tool' -%}
{{- '<|end|>' -}}
{%- endif -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>' -}}
{%- endif -%}
"""
