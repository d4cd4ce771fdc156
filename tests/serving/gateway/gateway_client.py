"""A tenant with promoted canaries, and the `openai` client that its programs would use."""

from dataclasses import dataclass, field

from openai import OpenAI

from adapters.models import AdapterVersion
from serving.backends.base import EndpointBackend
from serving.endpoints.asking import ask
from serving.endpoints.deployments import hold_deployment, move, package_of
from serving.models import DeploymentState, Endpoint, Route
from serving.promotions.routes import switch_route
from tenants.keys.services import create_api_key
from tenants.models import ApiKey, Tenant
from tenants.scope import tenant_scope
from tests.serving.conftest import user

TOKENS = 8


@dataclass
class Line:
    """What a tenant's aliases should answer: {(alias, version number): text}, by `PROMPT`."""

    tenant: Tenant
    key: ApiKey
    token: str
    answers: dict[tuple[str, int], str] = field(default_factory=dict)

    def client(self, gateway: str) -> OpenAI:
        return OpenAI(base_url=f"{gateway}/v1", api_key=self.token, max_retries=0, timeout=30)


PROMPT = "Repeat: amber."


def new_line(tenant: Tenant) -> Line:
    with tenant_scope(tenant.id):
        key, token = create_api_key(tenant=tenant, name="program")
    return Line(tenant=tenant, key=key, token=token)


def put_live(line: Line, backend: EndpointBackend, endpoint: Endpoint, version: AdapterVersion) -> Route:
    """Deploy and switch, as a promotion does, and note the version's own answer."""
    with tenant_scope(line.tenant.id):
        deployment = hold_deployment(endpoint=endpoint, version=version)
        backend.deploy(deployment.name, package_of(version))
        move(deployment, DeploymentState.IN_SERVICE)
        answer = ask(backend.target(deployment.name), user(PROMPT), max_tokens=TOKENS).text
        line.answers[version.adapter.name, version.number] = answer
        route, _ = Route.objects.get_or_create(
            tenant=line.tenant, adapter=version.adapter, defaults={"alias": version.adapter.name}
        )
        return switch_route(route=route, to=deployment)
