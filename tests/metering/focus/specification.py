"""FOCUS 1.3's own table of the columns of its dataset Cost and Usage: feature level, whether nulls are allowed, type.

Copied from the specification (specification/datasets/cost_and_usage/dataset.md of 1.3), apart from what the exporter
says of itself. M is mandatory, C conditional, R recommended.
"""

TABLE = """
AllocatedMethodDetails R True JSON
AllocatedMethodId C True String
AllocatedResourceId C True String
AllocatedResourceName C True String
AllocatedTags C True JSON
AvailabilityZone R True String
BilledCost M False Decimal
BillingAccountId M False String
BillingAccountName M True String
BillingAccountType C False String
BillingCurrency M False String
BillingPeriodEnd M False Date/Time
BillingPeriodStart M False Date/Time
CapacityReservationId C True String
CapacityReservationStatus C True String
ChargeCategory M False String
ChargeClass M True String
ChargeDescription M True String
ChargeFrequency R False String
ChargePeriodEnd M False Date/Time
ChargePeriodStart M False Date/Time
CommitmentDiscountCategory C True String
CommitmentDiscountId C True String
CommitmentDiscountName C True String
CommitmentDiscountQuantity C True Decimal
CommitmentDiscountStatus C True String
CommitmentDiscountType C True String
CommitmentDiscountUnit C True String
ConsumedQuantity C True Decimal
ConsumedUnit C True String
ContractApplied C True JSON
ContractedCost M False Decimal
ContractedUnitPrice C True Decimal
EffectiveCost M False Decimal
HostProviderName M False String
InvoiceId R True String
InvoiceIssuerName M False String
ListCost M False Decimal
ListUnitPrice C True Decimal
PricingCategory C True String
PricingCurrency C True String
PricingCurrencyContractedUnitPrice C True Decimal
PricingCurrencyEffectiveCost C True Decimal
PricingCurrencyListUnitPrice C True Decimal
PricingQuantity M True Decimal
PricingUnit M True String
ProviderName M False String
PublisherName M False String
RegionId C True String
RegionName C True String
ResourceId C True String
ResourceName C True String
ResourceType C True String
ServiceCategory M False String
ServiceName M False String
ServiceProviderName M False String
ServiceSubcategory R False String
SkuId C True String
SkuMeter C True String
SkuPriceDetails C True JSON
SkuPriceId C True String
SubAccountId C True String
SubAccountName C True String
SubAccountType C True String
Tags C True JSON
"""
LEVELS = {"M": "Mandatory", "C": "Conditional", "R": "Recommended"}
SPECIFIED = {
    name: (LEVELS[level], nulls == "True", kind)
    for name, level, nulls, kind in (line.split() for line in TABLE.split("\n") if line)
}
SUMMABLE = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "PricingQuantity", "ConsumedQuantity")
OF_THE_SPLIT = (
    "AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName", "AllocatedTags",
)  # fmt: skip
