"""Which resources of a cloud are this site's endpoints and jobs."""

import re
from dataclasses import dataclass

from jobs.backends import compute
from jobs.compute.kinds import external_name
from jobs.models import Job
from metering.models import BillSubject
from serving.endpoints.queries import EndpointNotSetUp, backend_of
from serving.models import Endpoint
from tenants.scope import system_scope

ARN = re.compile(r"arn:[\w-]+:sagemaker:([\w-]*):\d*:(endpoint|training-job)/(.+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Ours:
    """By kind, region and name in the cloud, in lower case as AWS has them in ARNs."""

    names: dict[tuple[str, str, str], tuple[BillSubject, str]]

    def subject_of(self, resource: str) -> tuple[BillSubject, str]:
        """What a resource is here: an endpoint's name or a job's id."""
        found = ARN.fullmatch(resource)
        if found is None:
            return BillSubject.OTHER, ""
        region, kind, name = found.groups()
        return self.names.get((kind.lower(), region.lower(), name.lower()), (BillSubject.OTHER, ""))


def ours() -> Ours:
    """Also endpoints that are gone, and every attempt of a job."""
    names = {}
    for endpoint, name, region in cloud_endpoints():
        names["endpoint", region, name.lower()] = (BillSubject.ENDPOINT, endpoint)
    regions = cloud_backends()
    with system_scope():
        jobs = Job.objects.filter(backend__in=regions).only("id", "tenant_id", "kind", "attempt", "backend")
        for job in jobs.iterator():
            for attempt in range(1, job.attempt + 1):
                key = ("training-job", regions[job.backend], external_name(job, attempt))
                names[key] = (BillSubject.JOB, str(job.id))
    return Ours(names=names)


def cloud_endpoints() -> list[tuple[str, str, str]]:
    """Endpoints in a cloud: their names here and there, and their regions."""
    found = []
    for endpoint in Endpoint.objects.select_related("base_model"):
        try:
            backend = backend_of(endpoint)
            component = backend.target(endpoint.base_model.name).component()
        except EndpointNotSetUp:
            continue
        if component is not None:
            found.append((endpoint.name, component[0], backend.priced.region))
    return found


def cloud_backends() -> dict[str, str]:
    """Aliases of backends for jobs that are in a cloud, with their regions."""
    regions = {alias: compute[alias].priced.region for alias in compute}
    return {alias: region for alias, region in regions.items() if region}
