"""Experts' grades."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from evaluations.models.runs import EvaluationItem
from tenants.isolation import TenantForeignKey
from tenants.models import TenantModel, User


class Review(TenantModel):
    """An expert's grade of the answer that the evaluated version gave to one row."""

    item = TenantForeignKey(EvaluationItem, models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+")
    grade = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    comment = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "item", "reviewer"), name="review_once"),
            models.CheckConstraint(condition=models.Q(grade__gte=1, grade__lte=5), name="review_grade_1_to_5"),
        )

    def __str__(self) -> str:
        return f"{self.grade} of 5"
