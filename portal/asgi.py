"""The site for the web server, `python -m portal.web`, or another ASGI server: Django's WSGI application in threads."""

from portal.web.bridge import Bridge
from portal.wsgi import application as wsgi

application = Bridge(wsgi)
