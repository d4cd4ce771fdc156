"""Addresses of serving."""

from django.urls import path

from serving.freezes import views as freeze_views
from serving.playground import views as playground_views
from serving.promotions import views
from serving.routing import views as router_views
from serving.trials import views as trial_views

app_name = "serving"
urlpatterns = [
    path("", views.endpoint, name="endpoint"),
    path("promote/<uuid:version_id>/", views.promote, name="promote"),
    path("versions/<uuid:version_id>/", views.standing, name="standing"),
    path("routes/<uuid:route_id>/roll-back/", views.roll_back, name="roll-back"),
    path("trials/<uuid:trial_id>/", trial_views.trial, name="trial"),
    path("freezes/new/", freeze_views.new_freeze, name="new-freeze"),
    path("freezes/<uuid:freeze_id>/end/", freeze_views.end_freeze, name="end-freeze"),
    path("routers/", router_views.index, name="routers"),
    path("routers/new/", router_views.new, name="new-router"),
    path("routers/<uuid:router_id>/", router_views.router, name="router"),
    path("routers/<uuid:router_id>/delete/", router_views.delete_router, name="delete-router"),
    path("playground/", playground_views.playground, name="playground"),
    path("playground/ask/", playground_views.ask, name="ask"),
    path("playground/ask/<slug:key>/", playground_views.ask_one, name="ask-one"),
]
