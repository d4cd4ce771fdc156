"""REST: endpoints, deployments, freeze windows, routers, routes, promotions and trials."""

from rest_framework.routers import SimpleRouter

from serving.capacity.api import EndpointViewSet
from serving.endpoints.api import DeploymentViewSet
from serving.freezes.api import FreezeViewSet, SiteFreezeViewSet
from serving.promotions.api import PromotionViewSet, RouteViewSet, TrialCopyViewSet, TrialViewSet
from serving.routing.api import RouterViewSet

router = SimpleRouter()
router.register("endpoints", EndpointViewSet, basename="endpoint")
router.register("deployments", DeploymentViewSet, basename="deployment")
router.register("freezes", FreezeViewSet, basename="freeze")
router.register("site-freezes", SiteFreezeViewSet, basename="site-freeze")
router.register("routes", RouteViewSet, basename="route")
router.register("routers", RouterViewSet, basename="router")
router.register("promotions", PromotionViewSet, basename="promotion")
router.register("trials", TrialViewSet, basename="trial")
router.register("trial-copies", TrialCopyViewSet, basename="trial-copy")
