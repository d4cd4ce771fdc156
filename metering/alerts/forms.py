"""Forms of alerts. Times are in the site's time zone."""

from django import forms

from serving.freezes.forms import MomentInput


class AcknowledgeForm(forms.Form):
    """What others should know."""

    note = forms.CharField(required=False, max_length=300)


class SnoozeForm(forms.Form):
    """Until when nobody is pointed to it."""

    until = forms.DateTimeField(widget=MomentInput)
