"""The operator's pages: all shared endpoints of the site, and the tenants on them."""
