"""Usage and costs in the shapes of OpenAI's organization API, so that dashboards made for it read this site."""
