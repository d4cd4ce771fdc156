"""GPUs of AWS's instance types."""

GIB = 2**30
MIB = 2**20

GPU_GIB = {
    "g4dn": 16,
    "g5": 24,
    "g6": 24,
    "g6e": 48,
    "p3": 16,
    "p3dn": 32,
    "p4d": 40,
    "p4de": 80,
    "p5": 80,
    "p5e": 141,
    "p5en": 141,
}
"""Memory of one GPU by instance family, from AWS's lists of instance types."""

REPORTED_MIB = {
    "g4dn": 15_360,
    "g5": 23_028,
    "g6": 23_034,
    "g6e": 46_068,
    "p4d": 40_960,
    "p4de": 81_920,
    "p5": 81_559,
    "p5e": 143_771,
    "p5en": 143_771,
}
"""What `nvidia-smi` reports of it: a GPU keeps a part for error correction and its firmware."""

ONE_GPU = ("ml.g6.xlarge", "ml.g6e.xlarge", "ml.p5.4xlarge")
"""Instance types with one GPU, by its memory."""


def gpu_bytes(instance_type: str) -> int | None:
    """Memory of one GPU of a SageMaker instance type (`ml.g6e.xlarge`), as it is sold; None if it is unknown."""
    size = GPU_GIB.get(_family(instance_type))
    return size * GIB if size else None


def usable_gpu_bytes(instance_type: str) -> int | None:
    """The same, as the driver reports it."""
    reported = REPORTED_MIB.get(_family(instance_type))
    return reported * MIB if reported else gpu_bytes(instance_type)


def _family(instance_type: str) -> str:
    return instance_type.removeprefix("ml.").partition(".")[0]
