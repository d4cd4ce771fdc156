"""Forms of the operator's pages."""

from typing import Any

from django import forms

from adapters.models import BaseModel
from rest.errors import PortalError
from serving.backends import endpoints
from serving.endpoints.queries import usual_options
from serving.models import Endpoint
from serving.operator.options import field_of, in_words, own_values


class OptionsForm(forms.Form):
    """What an endpoint of an alias may set for itself, filled in with what it has or would have."""

    def __init__(self, *args: Any, alias: str, options: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.alias = alias
        defaults, values = endpoints[alias].options, {**usual_options(alias), **(options or {})}
        for option in endpoints[alias].own:
            self.fields[option.name] = field_of(option, defaults[option.name], values[option.name])

    @property
    def options(self) -> dict[str, Any]:
        """Those that differ from the alias's."""
        return own_values(self.alias, self.cleaned_data)

    def refuse(self, error: PortalError) -> None:
        """Show why a service refused what was entered."""
        error.text = in_words(error.text, endpoints[self.alias].own)
        error.show_on(self)


class NewEndpointForm(OptionsForm):
    """A further endpoint."""

    name = forms.CharField(max_length=30, help_text="Lower-case letters, digits and hyphens, such as eu-2.")
    base_model = forms.ModelChoiceField(
        queryset=BaseModel.objects.all(),
        empty_label=None,
        to_field_name="name",
        help_text="Adapters that were trained on it can be served here.",
    )

    def __init__(self, *args: Any, alias: str, **kwargs: Any) -> None:
        super().__init__(*args, alias=alias, **kwargs)
        brought = endpoints[alias].suited(model_uri="-", instance_type="-")
        self.suited = [name for name in brought if name in self.fields]
        for name in self.suited:
            # The base is chosen on this form, so its values can't be filled in.
            field = self.fields[name]
            field.initial, field.required = "", False
            field.help_text = f"{field.help_text} Empty: the base model’s own, else the site’s."

    @property
    def options(self) -> dict[str, Any]:
        """Those that differ from the alias's; of those that suit a base, all that were filled in."""
        usual, given = usual_options(self.alias), self.cleaned_data
        empty = {name: usual[name] for name in self.suited if not given[name]}
        filled = {name: given[name] for name in self.suited if given[name]}
        return {**own_values(self.alias, {**given, **empty}), **filled}


class MoveForm(forms.Form):
    """A tenant, and where it is to go."""

    tenant = forms.UUIDField()
    to = forms.ModelChoiceField(
        queryset=Endpoint.objects.none(), error_messages={"invalid_choice": "Choose an endpoint that is in service."}
    )

    def __init__(self, *args: Any, endpoint: Endpoint, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["to"]
        field.queryset = Endpoint.objects.serving().filter(base_model=endpoint.base_model_id)


class DeleteForm(forms.Form):
    """The endpoint's name, typed to confirm."""

    name = forms.CharField(max_length=50, required=False)
