"""What people do with an alert."""

from django import forms

SNOOZES = {"1": "a day", "7": "a week", "30": "30 days"}


class AcknowledgeForm(forms.Form):
    """With a note, if there is something to say."""

    note = forms.CharField(required=False, max_length=300)


class SnoozeForm(forms.Form):
    """For so many days."""

    days = forms.ChoiceField(choices=list(SNOOZES.items()))
