"""Renders a form's inputs in Tabler's style."""

from django import forms, template
from django.forms.boundfield import BoundField, BoundWidget
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def control(field: BoundField) -> SafeString:
    """The input with Tabler's class for its type, marked if its value is invalid."""
    widget = field.field.widget
    if is_choice_list(field):
        return field.as_widget()
    if isinstance(widget, forms.CheckboxInput):
        kind = "form-check-input"
    elif isinstance(widget, forms.Select):
        kind = "form-select"
    else:
        kind = "form-control"
    names = [kind, str(widget.attrs.get("class", "")), "is-invalid" if field.errors else ""]
    return field.as_widget(attrs={"class": " ".join(name for name in names if name)})


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Whether the input is a single checkbox."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_choice_list(field: BoundField) -> bool:
    """Whether the input is a list of radio buttons or checkboxes."""
    return isinstance(field.field.widget, forms.RadioSelect)


@register.filter
def choices(field: BoundField) -> list[BoundWidget]:
    """The options of a choice list."""
    boxes = list(field)
    for box in boxes:
        box.data["attrs"]["class"] = "form-check-input"
    return boxes
