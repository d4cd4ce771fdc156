"""The site for a WSGI server. The one it runs on is `python -m portal.web`, which waits for no client in a thread."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

application = get_wsgi_application()

# After Django is set up, which these import.
from portal.hosted import refuse_unsafe_site  # noqa: E402
from portal.telemetry.traces import trace_process  # noqa: E402

refuse_unsafe_site()
trace_process("adapter-portal-web")
