"""Addresses of adapters."""

from django.urls import path

from adapters.offers import views as offers
from adapters.sweeps import views as sweeps
from adapters.training import form_views as training_form
from adapters.training import views as runs
from adapters.versions import views as versions

app_name = "adapters"
urlpatterns = [
    path("", versions.index, name="list"),
    path("base-models/", offers.base_models, name="base-models"),
    path("base-models/<uuid:base_model_id>/licence/", offers.licence, name="base-model-licence"),
    path("train/", training_form.train, name="train"),
    path("train/estimate/", training_form.estimate, name="estimate"),
    path("runs/", runs.runs, name="runs"),
    path("runs/compare/", runs.compare_runs, name="compare"),
    path("runs/<uuid:run_id>/", runs.run, name="run"),
    path("runs/<uuid:run_id>/live/", runs.run_live, name="run-live"),
    path("runs/<uuid:run_id>/log/", runs.run_log, name="run-log"),
    path("runs/<uuid:run_id>/stop/", runs.stop_run, name="run-stop"),
    path("runs/<uuid:run_id>/resume/", runs.resume_run, name="run-resume"),
    path("sweeps/", sweeps.sweeps, name="sweeps"),
    path("sweeps/new/", sweeps.new_sweep, name="new-sweep"),
    path("sweeps/estimate/", sweeps.sweep_estimate, name="sweep-estimate"),
    path("sweeps/<uuid:sweep_id>/", sweeps.sweep, name="sweep"),
    path("sweeps/<uuid:sweep_id>/live/", sweeps.sweep_live, name="sweep-live"),
    path("sweeps/<uuid:sweep_id>/stop/", sweeps.stop_all, name="sweep-stop"),
    path("<uuid:adapter_id>/", versions.detail, name="detail"),
    path("<uuid:adapter_id>/live/", versions.live, name="live"),
    path("versions/<uuid:version_id>/", versions.version, name="version"),
    path("versions/<uuid:version_id>/card/", versions.card, name="card"),
    path("versions/<uuid:version_id>/package/", versions.package, name="package"),
]
