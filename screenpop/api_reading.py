"""The API's documents in a few words, for people: what an operation takes and gives, what a field is. Pure."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


class Reading:
    """Reads schemas that refer to each other. A Shape is one with fields; whatever else has a name is told in place."""

    def __init__(self, schemas: Mapping[str, Json]) -> None:
        self._schemas = schemas

    def operation(self, operation: Json) -> Json:
        """What ``api.html`` shows of an operation."""
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        good: list[Json] = [answer for status, answer in operation["responses"].items() if status < "300"]
        content: Json = good[0].get("content", {}) if good else {}
        media = next(iter(content), None)
        answer = content[media].get("schema") if media else None
        tokens = [one["token"] for one in operation["security"] if "token" in one]
        return {
            "id": operation["operationId"],
            "summary": operation["summary"],
            "about": operation.get("description", ""),
            "right": operation.get("x-right"),
            "scope": tokens[0][0] if tokens and tokens[0] else None,
            "programs": bool(tokens) or not operation["security"],
            "parameters": [self._field(one["name"], one["schema"], one) for one in operation["parameters"]],
            "body": self.shape(body) if body else None,
            "answer": self.shape(answer) if answer else media,
            "statuses": [status for status in operation["responses"] if status >= "400"],
        }

    def fields(self, schema: Json) -> list[Json]:
        """The fields of a Shape, none of anything else."""
        needed = schema.get("required", ())
        return [
            self._field(name, one, {**one, "required": name in needed})
            for name, one in schema.get("properties", {}).items()
        ]

    def found(self, ref: Json) -> Json:
        """What a schema refers to."""
        return self._schemas[str(ref["$ref"]).rpartition("/")[2]]

    def shape(self, schema: Json) -> str:
        """The Shape in a schema, '' for none."""
        if "$ref" in schema:
            return str(schema["$ref"]).rpartition("/")[2] if "properties" in self.found(schema) else ""
        inside = (schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", ()))
        return next((name for one in inside if isinstance(one, dict) and (name := self.shape(one))), "")

    def kind(self, schema: Json) -> str:
        """What a field is."""
        if "$ref" in schema:
            return self.shape(schema) or self.kind(self.found(schema))
        if "anyOf" in schema:
            return " | ".join(self.kind(one) for one in schema["anyOf"])
        if "enum" in schema:
            return " | ".join(str(one) for one in schema["enum"])
        match schema.get("type"):
            case "array":
                return f"[{self.kind(schema.get('items', {}))}]"
            case "object":
                inner = schema.get("additionalProperties")
                return f"{{{self.kind(inner)}}}" if isinstance(inner, dict) else "{…}"
        return str(schema.get("const", schema.get("type", "…")))

    def _field(self, name: str, schema: Json, said: Json) -> Json:
        return {
            "name": name,
            "kind": self.kind(schema),
            "of": self.shape(schema),
            "needed": said["required"],
            "about": said.get("description", ""),
        }
