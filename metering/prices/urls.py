"""Addresses of the operator's price book."""

from django.urls import path

from metering.prices import views

app_name = "prices"
urlpatterns = [
    path("", views.index, name="list"),
    path("<uuid:price_id>/", views.item, name="item"),
    path("set/", views.new_price, name="set"),
    path("discount/", views.new_discount, name="discount"),
    path("rate/", views.new_rate, name="rate"),
    path("import/", views.import_now, name="import"),
    path("<uuid:price_id>/end/", views.end, name="end"),
    path("discounts/<uuid:discount_id>/end/", views.end_a_discount, name="end-discount"),
]
