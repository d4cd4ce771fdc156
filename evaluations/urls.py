"""Addresses of evaluations."""

from django.urls import path

from evaluations.agreement import views as agreement_views
from evaluations.alignment import views as alignment_views
from evaluations.gates import views as gate_views
from evaluations.judges import views as judge_views
from evaluations.licences import views as licence_views
from evaluations.qualification import views as qualification_views
from evaluations.reviews import screen
from evaluations.reviews import views as review_views
from evaluations.reviews.rounds import settling
from evaluations.reviews.rounds import views as round_views
from evaluations.rubrics import views as rubric_views
from evaluations.runs import start_views, views
from evaluations.runs.judgings import views as judging_views

app_name = "evaluations"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", start_views.new, name="new"),
    path("start/<uuid:version_id>/", start_views.start, name="start"),
    path("<uuid:run_id>/", views.detail, name="detail"),
    path("<uuid:run_id>/live/", views.live, name="live"),
    path("<uuid:run_id>/judge/", judging_views.judge, name="judge-answers"),
    path("<uuid:run_id>/judge/estimate/", judging_views.estimate, name="judging-estimate"),
    path("<uuid:run_id>/figures/", views.figures, name="figures"),
    path("<uuid:run_id>/agreement/", agreement_views.agreement, name="agreement"),
    path("<uuid:run_id>/rows/<int:position>/", views.row, name="row"),
    path("<uuid:run_id>/rows/<int:position>/nearest/", views.nearest, name="nearest"),
    path("<uuid:run_id>/export/", views.export, name="export"),
    path("judges/", judge_views.index, name="judges"),
    path("judges/new/", judge_views.new, name="new-judge"),
    path("judges/<uuid:judge_id>/", judge_views.judge, name="judge"),
    path("judges/<uuid:judge_id>/try/", judge_views.trial, name="judge-try"),
    path("judges/<uuid:judge_id>/test/", qualification_views.start, name="judge-test"),
    path("judges/shared/<slug:alias>/", qualification_views.shared_judge, name="shared-judge"),
    path("judges/shared/<slug:alias>/try/", qualification_views.try_shared, name="shared-judge-try"),
    path("judges/shared/<slug:alias>/test/", qualification_views.start_shared, name="shared-judge-test"),
    path("judges/licences/<uuid:licence_id>/anew/", licence_views.anew, name="licence-anew"),
    path("judges/<uuid:judge_id>/align/", alignment_views.align, name="judge-align"),
    path("judges/alignments/<uuid:alignment_id>/use/", alignment_views.use, name="alignment-use"),
    path("judges/alignments/<uuid:alignment_id>/drop/", alignment_views.drop, name="alignment-drop"),
    path("judges/<uuid:judge_id>/delete/", judge_views.delete, name="judge-delete"),
    path("rubrics/", rubric_views.index, name="rubrics"),
    path("rubrics/new/", rubric_views.new, name="new-rubric"),
    path("rubrics/<uuid:rubric_id>/", rubric_views.rubric, name="rubric"),
    path("rubrics/<uuid:rubric_id>/export/", rubric_views.export, name="rubric-export"),
    path("rubrics/<uuid:rubric_id>/delete/", rubric_views.delete, name="rubric-delete"),
    path("reviews/", review_views.reviews, name="reviews"),
    path("reviews/e-mail/", review_views.digest, name="review-digest"),
    path("<uuid:run_id>/review/", round_views.start, name="start-review-round"),
    path("reviews/rounds/<uuid:round_id>/", round_views.detail, name="review-round"),
    path("reviews/rounds/<uuid:round_id>/close/", round_views.close, name="review-round-close"),
    path("reviews/rounds/<uuid:round_id>/change/", round_views.change, name="review-round-change"),
    path("reviews/rounds/<uuid:round_id>/corrections/", round_views.add_corrections, name="review-round-corrections"),
    path("reviews/items/<uuid:item_id>/settle/", settling.settle, name="settle"),
    path("reviews/<uuid:round_id>/", screen.review, name="review"),
    path("reviews/items/<uuid:item_id>/grade/", screen.grade, name="grade"),
    path("versions/<uuid:version_id>/decide/", gate_views.decide, name="decide"),
    path("decisions/<uuid:decision_id>/", gate_views.decision, name="decision"),
    path("decisions/<uuid:decision_id>/round/", gate_views.choose_round, name="decision-round"),
    path("decisions/<uuid:decision_id>/approve/", gate_views.approve_decision, name="decision-approve"),
    path("decisions/<uuid:decision_id>/reject/", gate_views.reject_decision, name="decision-reject"),
    path("decisions/<uuid:decision_id>/override/", gate_views.override_decision, name="decision-override"),
    path("decisions/<uuid:decision_id>/pack/", gate_views.pack, name="decision-pack"),
    path("policies/<uuid:adapter_id>/", gate_views.policy, name="policy"),
    path("policies/<uuid:adapter_id>/export/", gate_views.export_policy, name="policy-export"),
]
