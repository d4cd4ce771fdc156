"""Fifty JSON schemas of the kinds that customers ask answers in."""

from typing import Any


def thing(properties: dict[str, Any], required: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """An object with these members, all of them required unless told otherwise, and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
        **more,
    }


SHORT = {"type": "string", "maxLength": 12}
WORD = {"type": "string", "pattern": "^[a-z]{1,8}$"}
DAY = {"type": "string", "format": "date"}
LEVEL = {"enum": ["low", "medium", "high"]}
MONEY = {"type": "number", "minimum": 0, "maximum": 100000}
ITEM = thing({"sku": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"}, "count": {"type": "integer", "minimum": 1}})
TREE = {"$ref": "#/$defs/node"}

SCHEMAS: list[dict[str, Any]] = [
    {"type": "boolean"},
    {"type": "null"},
    {"type": "integer"},
    {"type": "integer", "minimum": 5, "maximum": 17},
    {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 4},
    {"type": "integer", "multipleOf": 3, "minimum": 0, "maximum": 99},
    MONEY,
    {"type": "number", "multipleOf": 0.5, "minimum": 0, "maximum": 20},
    SHORT,
    {"type": "string", "minLength": 3, "maxLength": 5},
    WORD,
    DAY,
    {"type": "string", "format": "time"},
    {"type": "string", "format": "email", "maxLength": 30},
    {"type": "string", "format": "uuid"},
    {"type": "string", "format": "ipv4"},
    {"type": "string", "pattern": "^(INV|ORD)-[0-9]{3,6}$"},
    LEVEL,
    {"enum": ["refund", 3, None, True]},
    {"const": "yes"},
    {"type": ["string", "null"], "maxLength": 6},
    {"anyOf": [{"type": "integer"}, {"const": "unknown"}]},
    {"oneOf": [{"type": "boolean"}, {"type": "null"}]},
    {"type": "array", "items": {"type": "integer"}, "maxItems": 4},
    {"type": "array", "items": LEVEL, "minItems": 2, "maxItems": 3},
    {"type": "array", "prefixItems": [{"type": "boolean"}, {"type": "integer"}], "items": False, "minItems": 2},
    {"type": "array", "items": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2}, "maxItems": 2},
    thing({}),
    thing({"urgent": {"type": "boolean"}}),
    thing({"category": LEVEL, "urgent": {"type": "boolean"}}),
    thing({"name": SHORT, "age": {"type": "integer", "minimum": 0, "maximum": 150}}, required=["name"]),
    thing({"a": WORD, "b": WORD, "c": WORD}, required=[]),
    thing({"due": DAY, "amount": MONEY, "currency": {"enum": ["EUR", "USD"]}}),
    thing({"items": {"type": "array", "items": ITEM, "minItems": 1, "maxItems": 2}}),
    thing({"customer": thing({"id": {"type": "string", "format": "uuid"}, "vip": {"type": "boolean"}})}),
    thing({"labels": {"type": "array", "items": WORD, "minItems": 1, "maxItems": 3}}),
    thing({"score": {"type": "integer", "minimum": 1, "maximum": 5}, "why": {"type": "string", "maxLength": 20}}),
    thing({"parties": {"type": "array", "items": thing({"role": {"enum": ["buyer", "seller"]}}), "maxItems": 2}}),
    thing(
        {
            "answer": {"anyOf": [WORD, {"type": "null"}]},
            "pages": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
        }
    ),
    thing({"next": {"anyOf": [thing({"kind": {"const": "call"}, "at": DAY}), thing({"kind": {"const": "none"}})]}}),
    {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 2},
    {
        "type": "object",
        "patternProperties": {"^x_[a-z]{1,3}$": {"type": "boolean"}},
        "additionalProperties": False,
        "maxProperties": 2,
    },
    {"allOf": [thing({"a": {"type": "integer"}}), {"required": ["a"]}]},
    {"$defs": {"level": LEVEL}, **thing({"risk": {"$ref": "#/$defs/level"}, "effort": {"$ref": "#/$defs/level"}})},
    {
        "$defs": {
            "node": thing({"value": {"type": "integer", "maximum": 9}, "left": {"anyOf": [TREE, {"type": "null"}]}})
        },
        **TREE,
    },
    thing({"código": WORD, "größe": {"enum": ["groß", "klein"]}}),
    thing({'quote"d': {"type": "boolean"}, "new\nline": {"type": "null"}}),
    thing({"address": thing({"street": SHORT, "zip": {"type": "string", "pattern": "^[0-9]{5}$"}}, required=["zip"])}),
    thing(
        {
            "matrix": {
                "type": "array",
                "items": {
                    "type": "array",
                    "items": {"type": "number", "minimum": 0, "maximum": 9},
                    "minItems": 2,
                    "maxItems": 2,
                },
                "minItems": 1,
                "maxItems": 2,
            }
        }
    ),
    thing({f"field_{number}": {"type": "boolean"} for number in range(30)}),
]
