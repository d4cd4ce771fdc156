"""Addresses of adapters."""

from django.urls import path

from adapters import card_views, run_views, sweep_views, views

app_name = "adapters"
urlpatterns = [
    path("", views.index, name="list"),
    path("train/", views.train, name="train"),
    path("train/estimate/", views.estimate, name="estimate"),
    path("runs/", run_views.runs, name="runs"),
    path("runs/compare/", run_views.compare_runs, name="compare"),
    path("runs/<uuid:run_id>/", run_views.run, name="run"),
    path("runs/<uuid:run_id>/live/", run_views.run_live, name="run-live"),
    path("runs/<uuid:run_id>/log/", run_views.run_log, name="run-log"),
    path("runs/<uuid:run_id>/stop/", run_views.stop_run, name="run-stop"),
    path("runs/<uuid:run_id>/resume/", run_views.resume_run, name="run-resume"),
    path("sweeps/", sweep_views.sweeps, name="sweeps"),
    path("sweeps/new/", sweep_views.new_sweep, name="new-sweep"),
    path("sweeps/estimate/", sweep_views.sweep_estimate, name="sweep-estimate"),
    path("sweeps/<uuid:sweep_id>/", sweep_views.sweep, name="sweep"),
    path("sweeps/<uuid:sweep_id>/live/", sweep_views.sweep_live, name="sweep-live"),
    path("sweeps/<uuid:sweep_id>/stop/", sweep_views.stop_all, name="sweep-stop"),
    path("<uuid:adapter_id>/", views.detail, name="detail"),
    path("<uuid:adapter_id>/live/", views.live, name="live"),
    path("versions/<uuid:version_id>/", views.version, name="version"),
    path("versions/<uuid:version_id>/card/", card_views.card, name="card"),
    path("versions/<uuid:version_id>/package/", views.package, name="package"),
]
