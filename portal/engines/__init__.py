"""Engines that run only while they are used: one for each base model beside the site's own."""
