"""YAML that people send: read without what makes a small text large, and with each key once."""

from typing import Any

import yaml


class WrongYAML(ValueError):
    """The text says what is wrong, and in which line where that is known."""


def read_yaml(text: str, *, what: str, max_bytes: int) -> Any:
    """The value in a YAML text; `what` names it at the beginning of a sentence. Raises WrongYAML."""
    if len(text.encode("utf-8", "surrogatepass")) > max_bytes:
        raise WrongYAML(f"{what} is larger than {max_bytes // 1024} KiB.")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506, a SafeLoader
    except yaml.MarkedYAMLError as error:
        where = f"Line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise WrongYAML(f"{where}This is not valid YAML: {error.problem}.") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise WrongYAML("This is not valid YAML.") from None


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key occurs twice", node.start_mark)
        return mapping
