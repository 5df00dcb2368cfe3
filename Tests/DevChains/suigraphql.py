"""A small GraphQL: documents of one operation with arguments, variables, aliases and selections, over Python objects.

A field that an object doesn't have is an error, as on a real server; fragments, directives and introspection are not here.
"""
from __future__ import annotations

import re

TOKEN = re.compile(r'[\s,]*(?:([A-Za-z_]\w*)|(-?\d+(?:\.\d+)?)|"((?:[^"\\]|\\.)*)"|([{}()\[\]:!$=]))')


class QueryError(Exception):
    def __init__(self, message, code="BAD_USER_INPUT"):
        super().__init__(message)
        self.code = code


class Reader:
    def __init__(self, text):
        self.tokens, place, text = [], 0, text.strip()
        while place < len(text):
            m = TOKEN.match(text, place)
            if not m:
                raise QueryError(f"syntax error at {place}", "GRAPHQL_PARSE_FAILED")
            name, number, string, mark = m.groups()
            self.tokens.append(("name", name) if name else ("number", number) if number else ("mark", mark) if mark else ("string", string))
            place = m.end()
        self.place = 0

    def peek(self, mark=None):
        t = self.tokens[self.place] if self.place < len(self.tokens) else (None, None)
        return t if mark is None else t == ("mark", mark)

    def take(self, kind=None, value=None):
        t = self.peek()
        if (kind and t[0] != kind) or (value and t[1] != value):
            raise QueryError(f"expected {value or kind}, found {t[1]}", "GRAPHQL_PARSE_FAILED")
        self.place += 1
        return t[1]

    def operation(self):
        """(kind, {variable: has it to be given}, selections)"""
        kind, variables = "query", {}
        if self.peek()[0] == "name":
            kind = self.take("name")
            if self.peek()[0] == "name":
                self.take()
            if self.peek("("):
                self.take()
                while not self.peek(")"):
                    self.take("mark", "$")
                    name = self.take("name")
                    self.take("mark", ":")
                    variables[name] = self.type()
                self.take()
        out = self.selections()
        if self.peek()[0]:
            raise QueryError("something behind the operation", "GRAPHQL_PARSE_FAILED")
        return kind, variables, out

    def type(self):
        if self.peek("["):
            self.take()
            self.type()
            self.take("mark", "]")
        else:
            self.take("name")
        if self.peek("!"):
            self.take()
            return True
        return False

    def selections(self):
        self.take("mark", "{")
        out = []
        while not self.peek("}"):
            alias = name = self.take("name")
            if self.peek(":"):
                self.take()
                name = self.take("name")
            args = {}
            if self.peek("("):
                self.take()
                while not self.peek(")"):
                    key = self.take("name")
                    self.take("mark", ":")
                    args[key] = self.value()
                self.take()
            out.append((alias, name, args, self.selections() if self.peek("{") else None))
        self.take()
        return out

    def value(self):
        kind, value = self.peek()
        self.place += 1
        if kind == "number":
            return lambda v: int(value)
        if kind == "string":
            return lambda v: value
        if kind == "name":
            return lambda v: {"true": True, "false": False, "null": None}.get(value, value)
        if value == "$":
            name = self.take("name")
            return lambda v: v.get(name)
        if value == "[":
            items = []
            while not self.peek("]"):
                items.append(self.value())
            self.take()
            return lambda v: [i(v) for i in items]
        if value == "{":
            members = {}
            while not self.peek("}"):
                key = self.take("name")
                self.take("mark", ":")
                members[key] = self.value()
            self.take()
            return lambda v: {k: m(v) for k, m in members.items()}
        raise QueryError(f"no value: {value}", "GRAPHQL_PARSE_FAILED")


def select(value, selections, variables):
    """What is selected of a value: dicts by their members, which may be functions of the field's arguments."""
    if value is None:
        return None
    if isinstance(value, list):
        return [select(v, selections, variables) for v in value]
    if selections is None:
        if isinstance(value, Node):
            raise QueryError("a selection is missing")
        return value
    if not isinstance(value, Node):
        raise QueryError("a selection of what has no fields")
    out = {}
    for alias, name, args, inner in selections:
        if name not in value:
            raise QueryError(f'Unknown field "{name}"')
        field, given = value[name], {k: a(variables) for k, a in args.items()}
        if callable(field):
            try:
                field = field(**given)
            except TypeError as e:
                raise QueryError(f'Bad arguments of "{name}": {e}') from None
        elif given:
            raise QueryError(f'"{name}" has no arguments')
        out[alias] = select(field, inner, variables)
    return out


class Node(dict):
    """A value with fields."""


def run(text, variables, roots):
    """The data of a document; `roots` has a Node for each kind of operation."""
    kind, declared, selections = Reader(text).operation()
    for name, needed in declared.items():
        if needed and variables.get(name) is None:
            raise QueryError(f'Variable "${name}" is missing')
    if kind not in roots:
        raise QueryError(f"no {kind} here")
    return select(roots[kind], selections, variables)


def page(items, first, after):
    """A connection: at most 50 of the items behind a cursor."""
    start = int(after) + 1 if after is not None else 0
    count = min(50, first if first is not None else 20)
    part = items[start:start + count]
    end = start + len(part) - 1
    return Node(nodes=part, pageInfo=Node(hasNextPage=end + 1 < len(items), endCursor=str(end) if part else None))
